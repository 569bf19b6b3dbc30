"""The difference of two runs of networks of the same shapes, block by block."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.analysis.one_picture import first_block
from explorer.analysis.summary import branch_ratio, correlation
from explorer.errors import InputError, check_type
from explorer.model.record import Record
from explorer.records import BlockTrace, NetworkTrace, measure

STEM, LOGITS = "stem", "logits"


@dataclass(frozen=True)
class ArrayDifference(Record):
    """How far two arrays of one shape are from each other.

    Attributes:
        largest: largest |other − reference|; infinite where only one of them is NaN or infinite.
        relative: `largest` as a share of the largest finite |reference|.
        share: ‖other − reference‖ / ‖reference‖, Euclidean; infinite where `largest` is.
        correlation: Pearson's, −1 … 1; NaN where one is constant or not finite.

    Both shares are 0 without a difference, and infinite where all of the reference is 0.
    """

    largest: float
    relative: float
    share: float
    correlation: float


@dataclass(frozen=True)
class PartDifference(Record):
    """How far the stem, a block or the logits of two runs are from each other.

    Attributes:
        name: "stem", the block's name in the reference, or "logits".
        other: the block's name in the other network; the same for stem and logits.
        out: of the residual stream after it, or of the logits.
        residual: of F(x); None for stem and logits.
        ratios: ‖F(x)‖ / ‖x‖ in the reference and in the other; None for stem and logits.
    """

    name: str
    other: str
    out: ArrayDifference
    residual: ArrayDifference | None = None
    ratios: tuple[float, float] | None = None


@dataclass(frozen=True)
class NetworkDifference(Record):
    """The difference of two runs, other − reference.

    Attributes:
        parts: the stem, every block in order, and the logits if both have as many classes.
        trace: the differences as a trace with the specs of the reference, for functions that take
            a trace. Its models have no weights, and of the stages its blocks have x, F(x) and out.
    """

    parts: tuple[PartDifference, ...]
    trace: NetworkTrace

    def __getitem__(self, name: str) -> PartDifference:
        return next(part for part in self.parts if part.name == name)

    @property
    def first(self) -> PartDifference | None:
        """The first part that is not exactly equal; None if all are."""
        return next((part for part in self.parts if part.out.largest > 0), None)

    @property
    def most(self) -> PartDifference:
        """The part with the largest ‖difference‖ / ‖reference‖; the first of equal ones."""
        return max(self.parts, key=lambda part: part.out.share)

    @property
    def sentence(self) -> str:
        """Where the runs differ first, and where most."""
        has_logits = self.parts[-1].name == LOGITS
        if self.first is None:
            parts = (
                "the stem, every block and the logits" if has_logits else "the stem and every block"
            )
            return f"Both are exactly equal in {parts}."
        first, most = self.first, self.most
        lead = f"They differ first in {_words(first)}, by {_share_of_norm(first)}"
        if most is first:
            return f"{lead}; nowhere is the difference a larger share."
        return f"{lead}, and most in {_words(most)}, by {_share_of_norm(most)}."

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on what was compared although it does not agree."""
        found = []
        renamed = [part for part in self.parts if part.name != part.other]
        if renamed:
            found.append(
                "The names of the blocks differ, so they are compared in order: "
                f"{renamed[0].name} with {renamed[0].other}, and so on."
            )
        if self.parts[-1].name != LOGITS:
            found.append("The numbers of classes differ, so the logits are not compared.")
        return tuple(found)


def network_difference(reference: NetworkTrace, other: NetworkTrace) -> NetworkDifference:
    """Compare two runs of one picture each: of two networks, or of one on two pictures.

    Blocks are compared in order, whatever their names and layers; F(x) and the residual stream
    must have the same shapes.

    Args:
        reference, other: the traces; differences are other − reference.

    Returns:
        A `NetworkDifference`; exactly 0 wherever the values are equal.

    Raises:
        InputError: a trace is of a batch or has no blocks, or the shapes do not agree.
    """
    first_block(reference)
    first_block(other)
    _check_shapes(reference, other)
    stem = _difference(reference.stem["out"], other.stem["out"])
    parts = [PartDifference(STEM, STEM, _compared(reference.stem["out"], other.stem["out"], stem))]
    blocks, x = {}, stem
    for (name, one), (other_name, two) in zip(
        reference.blocks.items(), other.blocks.items(), strict=True
    ):
        pairs = {
            one.spec.residual: (_residual(one), _residual(two)),
            "out": (one["out"], two["out"]),
        }
        found = {stage: _difference(*pair) for stage, pair in pairs.items()}
        residual, out = (_compared(*pair, found[stage]) for stage, pair in pairs.items())
        ratios = branch_ratio(one), branch_ratio(two)
        parts.append(PartDifference(name, other_name, out, residual, ratios))
        blocks[name] = _with_stages(one, {"x": x, **found})
        x = found["out"]
    lens = {}
    if reference.logits.shape == other.logits.shape:
        logits = _difference(reference.logits, other.logits)
        lens[name] = logits
        compared = _compared(reference.logits, other.logits, logits)
        parts.append(PartDifference(LOGITS, LOGITS, compared))
    return NetworkDifference(
        tuple(parts),
        replace(
            reference,
            stem=_with_stages(reference.stem, {"out": stem}),
            blocks=MappingProxyType(blocks),
            lens=MappingProxyType(lens),
        ),
    )


def stage_differences(
    reference: BlockTrace, other: BlockTrace
) -> Mapping[str, ArrayDifference | None]:
    """Compare two runs of a block, stage by stage.

    Returns:
        By stage of the other, in dataflow order; None where the reference has no such stage or
        one of another shape.
    """
    check_type("reference", reference, BlockTrace)
    found: dict[str, ArrayDifference | None] = {}
    for stage, values in check_type("other", other, BlockTrace).stages.items():
        base = reference.stages.get(stage)
        found[stage] = None
        if base is not None and base.shape == values.shape:
            found[stage] = _compared(base, values, _difference(base, values))
    return MappingProxyType(found)


def _residual(block: BlockTrace) -> np.ndarray:
    return block[block.spec.residual]


def _check_shapes(reference: NetworkTrace, other: NetworkTrace) -> None:
    one, two = len(reference.blocks), len(other.blocks)
    if one != two:
        raise InputError(
            f"The reference has {one} blocks and the other {two}; a comparison needs as many in "
            "both. Choose a network of the same depth."
        )
    shapes = [(STEM, "out", reference.stem["out"].shape, other.stem["out"].shape)]
    for name, a, b in zip(
        reference.blocks, reference.blocks.values(), other.blocks.values(), strict=True
    ):
        shapes.append((name, "F(x)", _residual(a).shape, _residual(b).shape))
        shapes.append((name, "out", a["out"].shape, b["out"].shape))
    for part, stage, expected, found in shapes:
        if expected != found:
            raise InputError(
                f"The shapes do not agree: {stage} of {part} is {_size(expected)} (rows, "
                f"columns, channels) in the reference and {_size(found)} in the other. "
                "Choose a network of the same widths and strides."
            )


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _with_stages(block: BlockTrace, stages: Mapping[str, np.ndarray]) -> BlockTrace:
    none: Mapping[str, Any] = MappingProxyType({})
    model = replace(block.model, parameters=none, statistics=none)
    return replace(block, model=model, stages=MappingProxyType(dict(stages)), norms=none)


def _difference(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return other − reference; 0 where they are equal, also where both are NaN or infinite."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.asarray(other - reference)
    if not np.isfinite(found).all():
        is_same = (reference == other) | (np.isnan(reference) & np.isnan(other))
        found = np.where(is_same, np.float32(0), found)
    found.setflags(write=False)
    return found


def _compared(reference: np.ndarray, other: np.ndarray, difference: np.ndarray) -> ArrayDifference:
    change, base = measure(difference), measure(reference)
    is_finite = change.count == difference.size
    return ArrayDifference(
        largest=change.largest if is_finite else np.inf,
        relative=_share(change.largest, base.largest) if is_finite else np.inf,
        share=_share(change.squares**0.5, base.squares**0.5) if is_finite else np.inf,
        correlation=correlation(reference, other),
    )


def _share(value: float, whole: float) -> float:
    if value == 0:
        return 0.0
    return value / whole if whole else np.inf


def _words(part: PartDifference) -> str:
    return f"the {part.name}" if part.name in (STEM, LOGITS) else part.name


def _share_of_norm(part: PartDifference) -> str:
    """Return the size of the difference of a part in words."""
    if part.out.share == np.inf:
        return "values that are 0 or not finite in one of them"
    return f"{part.out.share:.2g} of the reference’s norm"
