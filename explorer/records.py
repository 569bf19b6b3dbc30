"""Frozen results of the engine: read-only NumPy arrays, with the model they belong to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np

from explorer.errors import InputError, check_array, check_choice, check_integer
from explorer.model.record import Record
from explorer.model.spec import BlockSpec, Grid
from explorer.model.weights import Model
from explorer.parts import parts

CotangentKind = Literal["ones", "random", "pixel", "error"]
AblationKind = Literal["delete", "swap"]
ONE_IMAGE = "trace must be of one image; use trace.image(n) for image n of a batch."
# Names that `GradientSplit.as_trace` gives to the two parts of the gradient at x.
RESIDUAL_PART, IDENTITY_PART = "residual part", "identity part"


@dataclass(frozen=True)
class NormTrace(Record):
    """Statistics and parameters of one BatchNorm in a run. Every array is `(C,)` float32.

    `batch_mean` and `batch_var` are this input's statistics over N, H and W, with
    the variance as NNX computes it, `max(0, E[v²] − E[v]²)`. `mean` and `var`
    are those that the norm used: the batch's in train mode, the running ones in eval
    mode. In train mode `running_after = momentum · running_before + (1 − momentum) · batch`.
    """

    mean_before: np.ndarray
    var_before: np.ndarray
    batch_mean: np.ndarray
    batch_var: np.ndarray
    mean_after: np.ndarray
    var_after: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    epsilon: float
    momentum: float


@dataclass(frozen=True)
class Magnitude:
    """The largest |v|, the sum of v² and the number of an array's finite values."""

    largest: float
    squares: float
    count: int


def measure(array: np.ndarray) -> Magnitude:
    """Return the `Magnitude` of an array of any shape."""
    largest, squares, count = 0.0, 0.0, 0
    for (part,) in parts(check_array("array", array)):
        finite = np.isfinite(part)
        values = part.ravel() if finite.all() else part[finite]
        if values.size:
            wide = values.astype(np.float64)
            largest = max(largest, float(values.max()), -float(values.min()))
            squares += float(wide @ wide)
            count += values.size
    return Magnitude(largest, squares, count)


@dataclass(frozen=True)
class BlockTrace(Record):
    """One run of a block. `trace["conv1"]` is that stage, read-only.

    Attributes:
        model: the model that was run.
        use_running_average: whether it ran in eval mode.
        warmup_passes: train-mode passes before it.
        stages: by name, in dataflow order, those of `model.spec`; the basic block's are
            `STAGES`. Each is `(H, W, C)`, or `(N, H, W, C)` for a batch.
        norms: a `NormTrace` for every BatchNorm; all images of a batch share it.
    """

    model: Model
    use_running_average: bool
    warmup_passes: int
    stages: Mapping[str, np.ndarray]
    norms: Mapping[str, NormTrace]

    @property
    def spec(self) -> BlockSpec:
        """The layers of the block that was run."""
        return self.model.spec

    @property
    def features(self) -> int:
        """Channels of x."""
        return self.model.features

    @property
    def is_batch(self) -> bool:
        """Whether the stages have an axis of images."""
        return self["x"].ndim == 4

    @cached_property
    def magnitudes(self) -> Mapping[str, Magnitude]:
        """The `Magnitude` of every stage."""
        return MappingProxyType({name: measure(stage) for name, stage in self.stages.items()})

    def __getitem__(self, stage: str) -> np.ndarray:
        return self.stages[stage]

    def image(self, index: int) -> "BlockTrace":
        """Return the trace of one image of a batch, counted from 0.

        Its stages are copies, and its norms keep the statistics of the whole batch.

        Raises:
            InputError: the trace is of one image, or `index` is outside the batch.
        """
        if not self.is_batch:
            raise InputError(
                "image(index) needs the trace of a batch; this trace is of one image. Use the "
                "trace itself."
            )
        index = check_integer("index", index, 0, self["x"].shape[0] - 1)
        stages = {name: stage[index].copy() for name, stage in self.stages.items()}
        for stage in stages.values():
            stage.setflags(write=False)
        return replace(self, stages=MappingProxyType(stages))

    def pixel(self, stage: str, row: int, col: int) -> np.ndarray | None:
        """Return all channels, `(C,)`, of a stage at a pixel of x.

        None if the stage has no such pixel.

        Raises:
            InputError: there is no such stage, an index is not an integer of at least 0, or the
                trace is of a batch.
        """
        values = self.stages[check_choice("stage", stage, self.stages)]
        if self.is_batch:
            raise InputError(ONE_IMAGE)
        grid, (height, width, _) = self.spec.grids().get(stage, Grid()), values.shape
        at = tuple(
            grid.to_stage(check_integer(name, index, 0, None))
            for name, index in (("row", row), ("col", col))
        )
        is_inside = 0 <= at[0] < height and 0 <= at[1] < width
        return values[at] if is_inside else None

    def digest(self, stage: str = "out") -> str:
        """Return the BLAKE2b digest, 64 bits in hex, of a stage's shape and float32 bytes."""
        array = self.stages[check_choice("stage", stage, self.stages)]
        found = hashlib.blake2b(str(array.shape).encode(), digest_size=8)
        found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


@dataclass(frozen=True)
class NetworkTrace(Record):
    """One run of a network. `trace["block3"]` is the `BlockTrace` of that block.

    Attributes:
        images: the pictures, `(H, W, channels)` or `(N, H, W, channels)`.
        stem: the trace of the stem.
        blocks: the trace of every block by name, with the residual stream that reaches it as x.
        lens: the head's logits `(…, classes)` for the stream at every place of `stream` where it
            has as many channels as the head expects.
        use_running_average: whether the network ran in eval mode.
    """

    images: np.ndarray
    stem: BlockTrace
    blocks: Mapping[str, BlockTrace]
    lens: Mapping[str, np.ndarray]
    use_running_average: bool

    def __getitem__(self, block: str) -> BlockTrace:
        return self.blocks[block]

    def image(self, index: int) -> "NetworkTrace":
        """Return the trace of one picture of a batch, counted from 0.

        Raises:
            InputError: the trace is of one picture, or `index` is outside the batch.
        """
        if self.images.ndim != 4:
            raise InputError("image(index) needs the trace of a batch; this one is of one picture.")
        at = check_integer("index", index, 0, len(self.images) - 1)
        return replace(
            self,
            images=self.images[at],
            stem=self.stem.image(at),
            blocks=MappingProxyType({name: each.image(at) for name, each in self.blocks.items()}),
            lens=MappingProxyType({name: each[at] for name, each in self.lens.items()}),
        )

    @cached_property
    def stream(self) -> Mapping[str, np.ndarray]:
        """The residual stream after the stem and every block, by "stem" and the blocks' names."""
        blocks = {name: block["out"] for name, block in self.blocks.items()}
        return MappingProxyType({"stem": self.stem["out"], **blocks})

    @property
    def logits(self) -> np.ndarray:
        """The head's output, `(classes,)` or `(N, classes)`."""
        return self.lens[list(self.stream)[-1]]

    @property
    def probabilities(self) -> Mapping[str, np.ndarray]:
        """The softmax of `lens`: the classes' probabilities after the stem and after blocks."""
        return MappingProxyType({name: softmax(logits) for name, logits in self.lens.items()})


def softmax(logits: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # infinite logits have no probabilities
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class GradientSplit(Record):
    """Gradients of ⟨cotangent, out⟩. Every array is read-only float32.

    Attributes:
        trace: the forward pass that the gradients belong to.
        cotangent: the gradient at out, shaped like out.
        total: the gradient at x, shaped like x.
        identity: the part of `total` through the shortcut; 0 without one.
        residual: the part of `total` through the branch.
        stages: the gradient at every stage, from "x" (= total) to "out" (= cotangent).
    """

    trace: BlockTrace
    cotangent: np.ndarray
    total: np.ndarray
    identity: np.ndarray
    residual: np.ndarray
    stages: Mapping[str, np.ndarray]

    @cached_property
    def as_trace(self) -> BlockTrace:
        """The gradients and both parts at x as a trace, for functions that take a trace."""
        at_x = {RESIDUAL_PART: self.residual, IDENTITY_PART: self.identity}
        return replace(self.trace, stages=MappingProxyType({**self.stages, **at_x}))


@dataclass(frozen=True)
class PathGradient(Record):
    """The gradient at a block's x, split by path. Every array is read-only float32.

    Attributes:
        cotangent: the gradient at out, shaped like out.
        total: the gradient at x, shaped like x.
        identity: the part of `total` through the shortcut; 0 without one.
        residual: the part of `total` through the branch.
    """

    cotangent: np.ndarray
    total: np.ndarray
    identity: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True)
class NetworkGradient(Record):
    """Gradients of one logit of a network.

    Attributes:
        label: the class whose logit it is.
        logits: of the forward pass that the gradients belong to, `(classes,)`.
        stem: the split gradient of the stem; it has no shortcut.
        blocks: that of every block by name.
    """

    label: int
    logits: np.ndarray
    stem: PathGradient
    blocks: Mapping[str, PathGradient]

    def __getitem__(self, block: str) -> PathGradient:
        return self.blocks[block]

    @property
    def picture(self) -> np.ndarray:
        """The gradient at the picture, `(H, W, channels)`."""
        return self.stem.total


@dataclass(frozen=True)
class DepthRecord(Record):
    """Statistics of signal and gradient over the depth of a stack.

    Attributes:
        spec: the block that is stacked.
        curves: arrays `(runs, depth)` float32 by name. At every block,
            "std": standard deviation of its output over all cells;
            "squared mean": mean over channels of the squared mean over all pixels;
            "branch share": Var(F) / (Var(F) + Var(shortcut)), NaN without a shortcut;
            "zeros": fraction of cells that are 0 after the last ReLU, NaN without one or where the
            output has NaN;
            "gradient norm": ‖∂⟨c, out⟩/∂h‖ at its input h, out being the stack's output and
            c a standard normal;
            "gradient correlation": Pearson's, of that gradient with the one for a nearby
            input (Balduzzi et al. 2017).
        inputs: every block's input in the first run, `(depth, *x.shape)`.
        seeds: the seeds of the first run's blocks; empty if the weights have none.
    """

    spec: BlockSpec
    curves: Mapping[str, np.ndarray]
    inputs: np.ndarray
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class AblationRecord(Record):
    """How much a stack's output changes when one block is changed.

    Attributes:
        spec: the block that is stacked.
        kind: whether the block was deleted or swapped with the next.
        change: ‖changed − out‖ / ‖out‖ by the index of the block, `(depth,)` or `(depth − 1,)`.
    """

    spec: BlockSpec
    kind: AblationKind
    change: np.ndarray


@dataclass(frozen=True)
class PathRecord(Record):
    """Gradients along single paths: through F in k blocks, through the shortcut in the others.

    Attributes:
        depth: number of blocks, n.
        lengths: the sampled values of k.
        paths: fraction of all 2ⁿ paths with length k, C(n, k) / 2ⁿ, for k = 0 … n.
        norm: mean norm of the gradient at x along one path of each sampled length.
        error: its standard error over the sampled paths.
    """

    depth: int
    lengths: np.ndarray
    paths: np.ndarray
    norm: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class NetworkAblation(Record):
    """Accuracies of a network with blocks deleted or swapped, on the same pictures.

    Attributes:
        intact: with all blocks in order.
        deleted: without one block, by the index of the block, `(blocks,)`.
        swapped: with a block after the next one, by the index of the block, `(blocks − 1,)`.
        counts: numbers of blocks that are deleted together, ascending, `(k_values,)`.
        random: without that many random blocks, `(k_values, draws)`.
    """

    intact: float
    deleted: np.ndarray
    swapped: np.ndarray
    counts: np.ndarray
    random: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of `random` over the draws, `(k_values,)`."""
        return np.asarray(self.random.mean(axis=1))

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of `random` over the draws, `(k_values,)`."""
        return np.asarray(self.random.std(axis=1))
