"""The lens: the classes that the head reads from the residual stream after every block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.one_picture import check_one_picture
from explorer.errors import InputError, describe
from explorer.records import NetworkTrace

BEST = 3  # classes in a row of the lens


@dataclass(frozen=True)
class LensRow:
    """The head applied to the residual stream at one position.

    Attributes:
        position: "stem", or the name of the block after which the stream is read.
        classes: names of the most probable classes, at most three, the most probable first.
        probabilities: theirs, 0 … 1.
    """

    position: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]


def lens_rows(trace: NetworkTrace, classes: Sequence[str]) -> tuple[LensRow, ...]:
    """Return the most probable classes after the stem and every block, where the head fits.

    Of equally probable classes the first comes first.

    Args:
        trace: of one picture.
        classes: the names of all classes, by label.

    Raises:
        InputError: the trace is of a batch, or the number of names is not that of its classes.
    """
    count = check_one_picture(trace).logits.shape[-1]
    if not isinstance(classes, list | tuple) or len(classes) != count:
        raise InputError(
            f"classes must be a list of {count} names, one for each class of the network; got "
            f"{describe(classes)}."
        )
    rows = []
    for position, probabilities in trace.probabilities.items():
        best = np.argsort(-probabilities, kind="stable")[:BEST]
        rows.append(
            LensRow(
                position=position,
                classes=tuple(classes[label] for label in best),
                probabilities=tuple(probabilities[best].tolist()),
            )
        )
    return tuple(rows)
