"""The built-in data set: scikit-learn's handwritten digits."""

from functools import cache

import numpy as np

from explorer.data.dataset import Dataset
from explorer.data.prepare import prepare

SPLIT_SEED = 0


@cache
def digits() -> Dataset:
    """Return scikit-learn's handwritten digits: 1,437 pictures to train and 360 to test on.

    They are grey, 8×8 pixels, with values 0 … 16 before they are standardised; the ten classes are
    the digits 0 … 9. The split is always the same, and keeps the share of every class.

    Source:
        E. Alpaydin, C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine
        Learning Repository; its test set, as scikit-learn (BSD-3) ships it.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    return prepare(
        np.array(found.images[..., None], np.float32, order="C"),
        np.array(found.target, np.int32),
        seed=SPLIT_SEED,
        classes=tuple(str(digit) for digit in range(10)),
        title="Handwritten digits",
        source="scikit-learn's digits: 1,797 of the handwritten digits of E. Alpaydin and "
        "C. Kaynak, UCI Machine Learning Repository",
        key=("digits",),
    )
