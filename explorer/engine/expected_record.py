"""The result of a comparison with expected values."""

from dataclasses import dataclass

from explorer.model.record import Record

TOLERANCE = 1e-3  # a stage departs beyond this share of its largest expected value


@dataclass(frozen=True)
class StageDifference(Record):
    """How far one stage is from its expected values.

    Attributes:
        name: as it was given, such as "layer2.0" or "layer2.0.bn2".
        layout: the order of the expected array's axes, "NHWC" or "NCHW"; "NC" for logits.
        note: why this order was chosen, if both have the right shape; else empty.
        largest: largest |found − expected|; infinite if the sizes differ or a value found is NaN
            or infinite.
        position: row, column and channel where it is, or the class; None if the sizes differ.
        found, expected: the values there; NaN if the sizes differ.
        relative: `largest` as a share of the largest |expected|.
        shape: of the expected values, `(H, W, C)` or `(classes,)`.
    """

    name: str
    layout: str
    note: str
    largest: float
    position: tuple[int, ...] | None
    found: float
    expected: float
    relative: float
    shape: tuple[int, ...]

    @property
    def departs(self) -> bool:
        """Whether the difference is beyond `TOLERANCE`."""
        return not self.relative <= TOLERANCE


@dataclass(frozen=True)
class Explanation(Record):
    """The suspect that gives the expected values at the first stage that departs.

    Attributes:
        suspect: its name, such as "no skip".
        words: what differs, as a clause.
        block: the block in which it was changed; None for all layers up to the stage.
        relative: the difference that remains, as a share of the largest expected value.
    """

    suspect: str
    words: str
    block: str | None
    relative: float


@dataclass(frozen=True)
class ExpectedComparison(Record):
    """A network's stages compared with expected values.

    Attributes:
        differences: of every stage given, in dataflow order.
        first: the first that departs; None if none does.
        explanation: what was changed there, as far as a usual suspect fits; else None.
        following: the name of the next that departs with that corrected; None if none does, or
            without an explanation.
        sentence: the result in words.
    """

    differences: tuple[StageDifference, ...]
    first: StageDifference | None
    explanation: Explanation | None
    following: str | None
    sentence: str
