"""Runs the block once and keeps everything it computed, as NumPy.

JAX ends here: what is above this room sees read-only float32 arrays.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.block import check_features, check_input, check_seed
from explorer.errors import InputError, check_whole_number, describe
from explorer.layers import Conv
from explorer.programs import DRAWS_WEIGHTS
from explorer.recipes import Grid, Recipe
from explorer.variants import VARIANTS, build

MAX_WARMUP_PASSES = 1_000
MAX_STAGE_VALUES = 2**24  # of a variant's stage with more channels than x
EPSILON, MOMENTUM = 1e-5, 0.99  # NNX's defaults, held by a test

Arrays = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class NormTrace:
    """What one BatchNorm held and saw. Every array is `(C,)` float32.

    `batch_mean` and `batch_var` are this input's statistics over H and W, with
    the variance as NNX computes it, `max(0, E[v²] − E[v]²)`. `mean` and `var`
    are the ones the norm divided by: the batch's in train mode, the running
    ones in eval mode. In train mode
    `running_after = momentum · running_before + (1 − momentum) · batch`.
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
class Size:
    """The largest |v|, the sum of v² and the number of an array's finite values."""

    largest: float
    squares: float
    count: int


def measure(array: np.ndarray) -> Size:
    """The `Size` of an array of any shape."""
    finite = np.isfinite(array)
    values = array.ravel() if finite.all() else array[finite]
    if values.size == 0:
        return Size(0.0, 0.0, 0)
    largest = max(float(values.max()), -float(values.min()))
    squares = float(np.einsum("i,i", values, values, dtype=np.float64))
    return Size(largest, squares, values.size)


@dataclass(frozen=True)
class BlockTrace:
    """One run of the block. `trace["conv1"]` is that stage, `(H, W, C)`, read-only.

    The stages are those of `recipe`, in dataflow order; the basic block's are `STAGES`.
    `kernels["conv1"]` is `(3, 3, C_in, C_out)` and `biases["conv1"]` is `(C_out,)`;
    likewise for every convolution. `norms["bn1"]` is a `NormTrace`; likewise for every
    BatchNorm.
    """

    recipe: Recipe
    seed: int
    features: int
    use_running_average: bool
    warmup_passes: int
    stages: Mapping[str, np.ndarray]
    kernels: Mapping[str, np.ndarray]
    biases: Mapping[str, np.ndarray]
    norms: Mapping[str, NormTrace]

    @cached_property
    def sizes(self) -> Mapping[str, Size]:
        """How large each stage's values are; gone through once, whoever asks how often."""
        return MappingProxyType({name: measure(stage) for name, stage in self.stages.items()})

    def __getitem__(self, stage: str) -> np.ndarray:
        return self.stages[stage]

    def pixel(self, stage: str, row: int, col: int) -> np.ndarray | None:
        """All channels of the pixel of a stage that stands for this one of x, `(C,)`; None
        where the stage has none there."""
        grid, (height, width, _) = self.recipe.grids().get(stage, Grid()), self.stages[stage].shape
        at = (row - grid.offset) // grid.stride, (col - grid.offset) // grid.stride
        is_inside = 0 <= at[0] < height and 0 <= at[1] < width
        return self.stages[stage][at] if is_inside else None

    def digest(self, stage: str = "out") -> str:
        """BLAKE2b, 64 bits in hex, of a stage's shape and float32 bytes."""
        array = self.stages[stage]
        tag = str(array.shape).encode()
        return hashlib.blake2b(tag + array.tobytes(), digest_size=8).hexdigest()


def trace_block(
    seed: float,
    x: Any,
    features: float,
    *,
    use_running_average: bool = False,
    warmup_passes: float = 0,
    variant: str | Recipe = "v1",
) -> BlockTrace:
    """Runs a fresh block on `x` and returns every stage.

    Args:
        seed: whole number 0 … 2³²−1, fixes the weights.
        x: real array `(H, W, C)` with C equal to `features`; it is not changed.
        features: whole number ≥ 1.
        use_running_average: False is train mode, True is eval mode.
        warmup_passes: train-mode passes on `x` before this one, 0 … 1000. Each
            moves the running statistics, which start at mean 0 and variance 1,
            one step towards those of the batch. Only eval mode shows it in the
            stages.
        variant: a key of `VARIANTS`, or a recipe. The weights are those that the
            basic block gets from this seed, as far as the shapes agree.

    Returns:
        A `BlockTrace`; the same arguments give the same bits.

    Raises:
        InputError: an argument is outside what is said above.
    """
    width = check_features(features)
    block_seed = check_seed(seed)
    x32 = check_input(x, width).copy()  # JAX may alias it; the caller may write to theirs
    x32.setflags(write=False)
    passes = check_whole_number("warmup_passes", warmup_passes, 0, MAX_WARMUP_PASSES)
    recipe = check_variant(variant)
    _check_size(recipe, x32.shape)
    in_eval = bool(use_running_average) or recipe.always_eval
    program = recipe.program()
    parameters, fresh = initial_state(block_seed, recipe, width)
    running = _warm_up(program, parameters, fresh, x32, passes) if passes else fresh
    stages, statistics = run_stages(program, parameters, running, x32, in_eval)
    host = on_host((stages | {"x": x32}, parameters, running, statistics))
    return _record(recipe, block_seed, width, in_eval, passes, *host)


def _check_size(recipe: Recipe, shape: tuple[int, ...]) -> None:
    """InputError for a variant that would grow its input beyond what is kept of a stage."""
    stage, width = max(recipe.widths(shape[2]).items(), key=lambda item: item[1])
    values = shape[0] * shape[1] * width
    if width > shape[2] and values > MAX_STAGE_VALUES:
        raise InputError(
            f"The stage {stage} would have {shape[0]}×{shape[1]}×{width} = {values:,} values; "
            f"accepted are at most {MAX_STAGE_VALUES:,}. Take a smaller input or fewer channels."
        )


def check_variant(variant: str | Recipe) -> Recipe:
    """The recipe of that name, or InputError with the names there are."""
    if isinstance(variant, Recipe):
        return variant
    if variant not in VARIANTS:
        raise InputError(f"variant must be one of {', '.join(VARIANTS)}; got {describe(variant)}.")
    return VARIANTS[variant]


def initial_state(seed: int, recipe: Recipe, features: int) -> tuple[Arrays, Arrays]:
    """Parameters and running statistics of a fresh block of a recipe."""
    parameters, running = _initial_state(np.uint32(seed), recipe.program(), features)
    return _with_values(parameters, recipe), running


@partial(jax.jit, static_argnames=("recipe", "features"), compiler_options=DRAWS_WEIGHTS)
def _initial_state(seed: jax.Array, recipe: Recipe, features: int) -> tuple[Arrays, Arrays]:
    """Kernels, biases, γ and β; and the running statistics, of a fresh block."""
    return _state(build(recipe, features, nnx.Rngs(jax.random.key(seed))))


@partial(jax.jit, static_argnames=("recipe", "use_running_average"))
def run_stages(
    recipe: Recipe,
    parameters: Arrays,
    running: Arrays,
    x: jax.Array,
    use_running_average: bool,
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """Stages after x; and for every BatchNorm, `(4, C)`, the batch's mean and variance and the
    running ones after the call."""
    # The block is made here: one made outside cannot have its statistics moved
    # by jitted code. Its initial values are replaced, so XLA never computes them.
    block = build(recipe, x.shape[-1], nnx.Rngs(0))
    nnx.update(block, parameters, running)
    stages = block.stages(x, use_running_average)
    after, inputs = _state(block)[1], recipe.inputs()
    # One array a norm: for a small block each more to hand over counts.
    statistics = {
        name: jnp.stack([*_moments(stages[inputs[name]]), after[name]["mean"], after[name]["var"]])
        for name in recipe.norms()
    }
    del stages["x"]  # the caller has it; as an output XLA would copy it
    return stages, statistics


def _with_values(parameters: Arrays, recipe: Recipe) -> Arrays:
    """The parameters with the recipe's constants in place of the program's."""
    filled = {name: dict(of_stage) for name, of_stage in parameters.items()}
    for name, values in recipe.values().items():
        for variable, value in values.items():
            filled[name][variable] = np.full(filled[name][variable].shape, value, np.float32)
    return filled


def _state(block: nnx.Module) -> tuple[Arrays, Arrays]:
    parameters, statistics = nnx.state(block, nnx.Not(nnx.BatchStat), nnx.BatchStat)
    return nnx.to_pure_dict(parameters), nnx.to_pure_dict(statistics)


def _moments(v: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and variance of every channel, as NNX's BatchNorm computes them."""
    mean = jnp.mean(v, axis=(0, 1))
    return mean, jnp.maximum(0, jnp.mean(v * v, axis=(0, 1)) - mean * mean)


def _warm_up(
    recipe: Recipe, parameters: Arrays, running: Arrays, x: np.ndarray, passes: int
) -> Arrays:
    """The running statistics after `passes` train-mode calls on the same `x`.

    The batch statistics of such a call do not depend on the running ones, so
    they are the same every time and only the moving average is repeated.
    """
    statistics = on_host(run_stages(recipe, parameters, running, x, use_running_average=False)[1])
    batch = {name: {"mean": rows[0], "var": rows[1]} for name, rows in statistics.items()}
    moved = on_host(running)
    for _ in range(passes):
        moved = jax.tree.map(lambda r, b: MOMENTUM * r + (1 - MOMENTUM) * b, moved, batch)
    return moved


def on_host(arrays: Any) -> Any:
    """Arrays of JAX, in any nesting, as NumPy's; on a CPU nothing is copied."""
    return jax.tree.map(np.asarray, arrays)


def _record(
    recipe: Recipe,
    seed: int,
    features: int,
    use_running_average: bool,
    warmup_passes: int,
    stages: dict[str, np.ndarray],
    parameters: Arrays,
    running: Arrays,
    statistics: dict[str, np.ndarray],
) -> BlockTrace:
    norms = {}
    for norm in recipe.norms():
        batch_mean, batch_var, mean_after, var_after = _frozen(statistics[norm])
        mean_before, var_before = _frozen(running[norm]["mean"]), _frozen(running[norm]["var"])
        in_force = (mean_before, var_before) if use_running_average else (batch_mean, batch_var)
        norms[norm] = NormTrace(
            mean_before=mean_before,
            var_before=var_before,
            batch_mean=batch_mean,
            batch_var=batch_var,
            mean_after=mean_after,
            var_after=var_after,
            mean=in_force[0],
            var=in_force[1],
            gamma=_frozen(parameters[norm]["scale"]),
            beta=_frozen(parameters[norm]["bias"]),
            epsilon=EPSILON,
            momentum=MOMENTUM,
        )
    convs = [name for name, layer in recipe.layers().items() if isinstance(layer, Conv)]
    return BlockTrace(
        recipe=recipe,
        seed=seed,
        features=features,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
        stages=MappingProxyType({name: _frozen(stages[name]) for name in recipe.stages()}),
        kernels=MappingProxyType({c: _frozen(parameters[c]["kernel"]) for c in convs}),
        biases=MappingProxyType({c: _frozen(parameters[c]["bias"]) for c in convs}),
        norms=MappingProxyType(norms),
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    host = np.asarray(array)
    if host.flags.writeable:
        host = host.copy()
        host.setflags(write=False)
    return host
