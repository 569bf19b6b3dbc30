"""The record of a labelled data set, split into two parts and standardised."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.errors import InputError, check_array
from explorer.inputs.limits import format_shape

CHUNK_SIZE = 2**18  # values that are held in float64 at a time


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pictures to train and to test on. Its arrays are read-only, also in copies.

    The pictures are standardised: `raw = images · deviation + mean`.

    Attributes:
        train_images: `(N, H, W, C)` float32, standardised.
        train_labels: `(N,)` int32, 0 … K−1.
        test_images: `(M, H, W, C)` float32, standardised with the same two numbers.
        test_labels: `(M,)` int32, 0 … K−1.
        classes: the K names of the classes, by label.
        mean: of all values of the training pictures before they were standardised.
        deviation: standard deviation of the same values, > 0.
        title: what the data set is called.
        source: whom to credit.
        key: of a cache: data sets with equal keys have equal pictures, labels and parts.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    mean: float
    deviation: float
    title: str
    source: str
    key: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()  # pickling and copying drop the arrays' flag

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(H, W, C)` of every picture."""
        height, width, channels = self.train_images.shape[1:]
        return height, width, channels

    @property
    def channels(self) -> int:
        """Channels of every picture."""
        return self.shape[2]

    @property
    def number_of_classes(self) -> int:
        """The number of classes, K."""
        return len(self.classes)

    def standardise(self, images: np.ndarray) -> np.ndarray:
        """Return (images − mean)/deviation, with the numbers of this data set.

        Args:
            images: real array `(N, H, W, C)` or `(H, W, C)` of pictures as they were before
                they were standardised.

        Returns:
            float32, shaped like `images`; values that are not finite stay so.

        Raises:
            InputError: `images` is not such an array.
        """
        given = check_array("images", images, 3, 4)
        if given.shape[-3:] != self.shape:
            raise InputError(
                f"images must hold pictures of shape {format_shape(self.shape)}, as the data set "
                f"does, got shape {format_shape(given.shape)}."
            )
        target = np.empty(given.shape, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            write_standardised(target, given, self.mean, self.deviation)
        return target


def write_standardised(
    target: np.ndarray, images: np.ndarray, mean: float, deviation: float
) -> None:
    """Write (images − mean)/deviation to a float32 array, which may be `images` itself.

    It is computed in float64 from the values as float32, a part at a time, so that little memory
    is needed beside the two arrays.
    """
    step = max(1, CHUNK_SIZE // images[0].size)
    for start in range(0, len(images), step):
        part = images[start : start + step].astype(np.float32).astype(np.float64)
        target[start : start + step] = (part - mean) / deviation
