"""A network's trace in numbers: each block in a few, and the classes read from the stream."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.summary import headline
from explorer.errors import InputError, check_type, describe
from explorer.records import BlockTrace, NetworkTrace

BEST = 3  # classes in a row of the lens


@dataclass(frozen=True)
class BlockNumbers:
    """One block of a network in a few numbers, over all pictures, pixels and channels.

    Attributes:
        name: the block's name.
        ratio: ‖F(x)‖ / ‖x‖, as in `Headline`; of a block without a shortcut, x is its input.
        zeroed: fraction of cells that the last ReLU set to 0, 0 … 1; NaN without one, or where
            its input has NaN.
        dead: the channels of `out` that are 0 at every pixel.
        norm: ‖out‖, of the stream after the block, Euclidean.
        identity_share: Var(x) / (Var(x) + Var(F(x))), 0 … 1; NaN without a shortcut, or where
            both are 0.
    """

    name: str
    ratio: float
    zeroed: float
    dead: tuple[int, ...]
    norm: float
    identity_share: float


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


def check_one_picture(trace: NetworkTrace) -> NetworkTrace:
    """Return the trace; InputError unless it is a network's trace of one picture."""
    if check_type("trace", trace, NetworkTrace).images.ndim == 4:
        raise InputError(
            "trace must be of one picture; use trace.image(n) for picture n of a batch."
        )
    return trace


def block_numbers(trace: NetworkTrace) -> tuple[BlockNumbers, ...]:
    """Return the numbers of every block, in order.

    Args:
        trace: of one picture or of a batch.

    Raises:
        InputError: it is no network's trace.
    """
    blocks = check_type("trace", trace, NetworkTrace).blocks
    return tuple(_numbers(name, block) for name, block in blocks.items())


def _numbers(name: str, block: BlockTrace) -> BlockNumbers:
    out = block["out"]
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite stages
        numbers = headline(block)
        norm = float(np.linalg.norm(out.astype(np.float64)))
    has_value = out.any(axis=tuple(range(out.ndim - 1)))
    return BlockNumbers(
        name=name,
        ratio=numbers.ratio,
        zeroed=numbers.zeroed,
        dead=tuple(np.flatnonzero(~has_value).tolist()),
        norm=norm,
        identity_share=numbers.identity_share,
    )


def lens_rows(trace: NetworkTrace, classes: Sequence[str]) -> tuple[LensRow, ...]:
    """Return the most probable classes after the stem and after every block.

    Of equally probable classes the first comes first.

    Args:
        trace: of one picture.
        classes: the names of all classes, by label.

    Raises:
        InputError: the trace is of a batch, or the number of names is not that of its classes.
    """
    lens = check_one_picture(trace).lens
    count = lens.shape[-1]
    if not isinstance(classes, list | tuple) or len(classes) != count:
        raise InputError(
            f"classes must be a list of {count} names, one for each class of the network; got "
            f"{describe(classes)}."
        )
    rows = []
    for position, probabilities in zip(trace.stream, trace.probabilities, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:BEST]
        rows.append(
            LensRow(
                position=position,
                classes=tuple(classes[label] for label in best),
                probabilities=tuple(probabilities[best].tolist()),
            )
        )
    return tuple(rows)
