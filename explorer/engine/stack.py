"""Blocks in sequence: their weights, and the forward pass through them.

The blocks run in a scan over chunks of `CHUNK`, the last one padded with inactive blocks that
return their input: every depth uses the same compiled program, and between two chunks a caller
can show progress or stop.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from explorer.errors import InputError, check_flag, check_integer, check_list, describe
from explorer.inputs.random_streams import check_seed
from explorer.model.arguments import check_features, check_input
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.record import Record
from explorer.model.spec import BlockSpec
from explorer.model.weights import (
    Arrays,
    FromSeed,
    Model,
    Structure,
    check_variant,
    draw_weights,
)

CHUNK = 16
MAX_DEPTH, MAX_RUNS = 128, 32
MAX_VALUES = 2**25  # of all blocks' inputs, in every lane and copy
MAX_WEIGHTS = 2**26  # of all blocks together
SEED_STEP = 1000  # from one run to the next

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Stack(Record):
    """Models of one structure in sequence, in one or more runs, each with its own weights.

    Attributes:
        spec, structure: of every block.
        parameters, statistics: of all blocks; every array begins with axes `(depth, runs)`.
        provenance: of every block, `provenance[block][run]`.
    """

    spec: BlockSpec
    structure: Structure
    parameters: Arrays
    statistics: Arrays
    provenance: tuple[tuple[Hashable, ...], ...]

    @classmethod
    def from_seed(
        cls,
        seed: float,
        features: float,
        depth: float,
        variant: str | BlockSpec = "v1",
        *,
        runs: float = 1,
    ) -> Self:
        """Return a stack with fresh weights.

        Block l of run s (both from 0) has the weights of `Model.from_seed(seed + 1000·s + l)`,
        the seed modulo 2³².

        Args:
            seed, features, variant: as for `Model.from_seed`.
            depth: number of blocks, 1 … 128.
            runs: number of runs, 1 … 32.

        Raises:
            InputError: an argument is outside its documented range, or there are too many weights.
        """
        width, first, spec = check_features(features), check_seed(seed), check_variant(variant)
        blocks = check_integer("depth", depth, 1, MAX_DEPTH)
        count = check_integer("seeds", runs, 1, MAX_RUNS)
        structure = Model.structure_of(spec, width)
        weights = blocks * count * structure.size
        if weights > MAX_WEIGHTS:
            raise InputError(
                f"This stack would have {weights:,} weights; the limit is {MAX_WEIGHTS:,}. Choose "
                "fewer features, fewer blocks or fewer runs."
            )
        steps = np.arange(blocks)[:, None] + SEED_STEP * np.arange(count)
        seeds = (first + steps) % 2**32
        drawn = draw_weights(structure, seeds.ravel(), spec)
        parameters, statistics = jax.tree.map(
            lambda array: array.reshape(blocks, count, *array.shape[1:]), drawn
        )
        provenance = tuple(tuple(FromSeed(int(each)) for each in row) for row in seeds)
        return cls(spec, structure, parameters, statistics, provenance)

    @classmethod
    def from_models(cls, models: list[Model]) -> Self:
        """Return a stack of one run of these models, which must have the same structure.

        Raises:
            InputError: there are no models or too many, or their structures differ.
        """
        check_list("models", models, Model)
        check_integer("the number of models", len(models), 1, MAX_DEPTH)
        structures = {model.structure for model in models}
        if len(structures) > 1:
            raise InputError(
                "models must have one structure to be stacked, got "
                f"{len(structures)} different ones."
            )
        parameters, statistics = (
            jax.tree.map(lambda *rows: np.stack(rows)[:, None], *trees)
            for trees in (
                [dict(model.parameters) for model in models],
                [dict(model.statistics) for model in models],
            )
        )
        provenance = tuple((model.provenance,) for model in models)
        return cls(models[0].spec, models[0].structure, parameters, statistics, provenance)

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.provenance)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.provenance[0])

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the first run's blocks; empty if they have none."""
        first = [row[0] for row in self.provenance]
        return tuple(each.seed for each in first if isinstance(each, FromSeed))

    def model(self, block: int, run: int = 0) -> Model:
        """Return one of the models; `block` and `run` count from 0."""
        block = check_integer("block", block, 0, self.depth - 1)
        run = check_integer("run", run, 0, self.runs - 1)
        parameters, statistics = (
            jax.tree.map(lambda array: array[block, run], arrays)
            for arrays in (self.parameters, self.statistics)
        )
        return Model(
            self.spec,
            self.structure.features,
            parameters,
            statistics,
            self.provenance[block][run],
            self.structure.batch_norm,
        )

    def without_shortcut(self) -> "Stack":
        """Return the stack of the same weights without shortcuts."""
        model = self.model(0).without_shortcut()
        return replace(
            self,
            spec=model.spec,
            structure=model.structure,
            parameters={name: self.parameters[name] for name in model.parameters},
            statistics={name: self.statistics[name] for name in model.statistics},
        )

    @cached_property
    def rows(self) -> tuple[Any, Any]:
        """Parameters and statistics with one leading axis of all blocks and runs, blocks first."""
        found: tuple[Any, Any] = jax.tree.map(
            lambda array: array.reshape(-1, *array.shape[2:]),
            (dict(self.parameters), dict(self.statistics)),
        )
        return found

    def check_input(self, x: Any, use_running_average: bool) -> tuple[np.ndarray, bool]:
        """Return `x` as float32 and whether the stack runs in eval mode.

        Raises:
            InputError: `x` does not fit the blocks, or they change its shape.
        """
        array = check_input(x, self.structure.features)
        in_eval = check_flag("use_running_average", use_running_average) or self.spec.always_eval
        model = self.model(0)

        def run(x: jax.Array) -> jax.Array:
            block = model.structure.block(model.parameters, model.statistics)
            return block.stages(x, in_eval)["out"]

        out = jax.eval_shape(run, array)
        if out.shape != array.shape:
            raise InputError(
                f"A stack needs blocks that keep the shape of x: “{self.spec.title}” maps "
                f"{array.shape} to {out.shape}. Choose another variant."
            )
        return array, in_eval


def check_size(values: int) -> None:
    """Raise InputError if a stack would store more than `MAX_VALUES` values."""
    if values > MAX_VALUES:
        raise InputError(
            f"This stack would store {values:,} values; the limit is {MAX_VALUES:,}. Choose a "
            "smaller input, fewer blocks or fewer runs."
        )


def chunks_of(depth: int) -> list[slice]:
    """Return the range of blocks of each chunk."""
    return [slice(start, min(start + CHUNK, depth)) for start in range(0, depth, CHUNK)]


def filled(rows: np.ndarray) -> np.ndarray:
    """Return the rows of a chunk, padded to `CHUNK` rows with zeros: inactive blocks."""
    missing = CHUNK - rows.shape[0]
    return np.pad(rows, [(0, missing), *((0, 0) for _ in rows.shape[1:])])


def check_progress(progress: Any) -> Progress:
    """Return the function `progress`, or one that does nothing for None."""
    if progress is None:
        return no_progress
    if not callable(progress):
        raise InputError(
            "progress must be a function of the number of blocks done and in total, or None; got "
            f"{describe(progress)}."
        )
    found: Progress = progress
    return found


def no_progress(done: int, total: int) -> None:
    """Do nothing; stands in for a `progress` of None."""


@dataclass(frozen=True)
class ChunkWeights:
    """The weights of one chunk, and their assignment to blocks and lanes.

    `rows` are parameters and statistics with one leading axis; `index` `(CHUNK, lanes)` is
    the row that runs as a block in a lane, and `active` whether that block runs.
    """

    rows: tuple[Any, Any]
    index: np.ndarray
    active: np.ndarray


def chunk_weights(
    stack: Stack, order: np.ndarray, active: np.ndarray, chunk: slice, capacity: int
) -> ChunkWeights:
    """Return the weights of a chunk, padded to `capacity` rows so that programs are shared.

    `order` `(depth, lanes)` are indices into `stack.rows`; likewise `active`.
    """
    wanted, index = np.unique(order[chunk], return_inverse=True)
    padded = np.resize(wanted, capacity)
    rows = jax.tree.map(lambda array: array[padded], stack.rows)
    return ChunkWeights(
        rows, filled(index.reshape(order[chunk].shape).astype(np.int32)), filled(active[chunk])
    )


def send_forward(
    stack: Stack,
    h: Any,
    order: np.ndarray,
    use_running_average: bool,
    *,
    capacity: int,
    active: np.ndarray | None = None,
) -> Iterator[tuple[slice, ChunkWeights, jax.Array, jax.Array, dict[str, jax.Array]]]:
    """Send `h` `(lanes, copies, *x.shape)` through the stack, chunk by chunk.

    `order` `(depth, lanes)` is the index into `stack.rows` of each block in each lane; a block
    that is not `active` returns its input. `capacity` is the maximal number of models in a chunk.

    Yields:
        The chunk, its weights, its output, its blocks' inputs, and their statistics.
    """
    active = np.ones(order.shape, bool) if active is None else active
    for chunk in chunks_of(len(order)):
        weights = chunk_weights(stack, order, active, chunk, capacity)
        h, (inputs, numbers) = _forward(
            stack.structure, h, weights.rows, weights.index, weights.active, use_running_average
        )
        yield chunk, weights, h, inputs, numbers


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def _forward(
    structure: Structure,
    h: jax.Array,
    rows: tuple[Any, Any],
    index: jax.Array,
    active: jax.Array,
    use_running_average: bool,
) -> tuple[jax.Array, tuple[jax.Array, dict[str, jax.Array]]]:
    """Send `h` `(lanes, copies, *x.shape)` through a chunk of blocks.

    Return its output, and every block's input and statistics in the first copy.
    """

    def lane(at: jax.Array, is_active: jax.Array, copies: jax.Array) -> Any:
        def stages_of(x: jax.Array) -> dict[str, jax.Array]:
            return structure.block(*row_of(rows, at)).stages(x, use_running_average)

        stages = jax.vmap(stages_of)(copies)
        numbers = _numbers(structure.spec, {name: value[0] for name, value in stages.items()})
        return jnp.where(is_active, stages["out"], copies), numbers

    def block(h: jax.Array, step: tuple[jax.Array, jax.Array]) -> Any:
        out, numbers = jax.vmap(lane)(*step, h)
        return out, (h, numbers)

    return lax.scan(block, h, (index, active))


def row_of(rows: tuple[Any, Any], at: jax.Array) -> tuple[Any, Any]:
    """Return the weights of one row."""
    found: tuple[Any, Any] = jax.tree.map(lambda array: jnp.asarray(array)[at], rows)
    return found


def _numbers(spec: BlockSpec, stages: dict[str, jax.Array]) -> dict[str, jax.Array]:
    out = stages["out"]
    pixels = tuple(range(out.ndim - 1))
    numbers = {
        "std": jnp.std(out),
        "squared mean": jnp.mean(jnp.mean(out, axis=pixels) ** 2),
    }
    if spec.identity:
        branch, identity = jnp.var(stages[spec.residual]), jnp.var(stages[spec.identity])
        numbers["branch share"] = branch / (branch + identity)
    if spec.last_relu_input:
        numbers["zeros"] = jnp.mean(jnp.where(jnp.isnan(out), out, out == 0))
    return numbers


def pull_back(
    structure: Structure, weights: tuple[Any, Any], h: jax.Array, use_running_average: bool
) -> Any:
    """Return the function from a gradient at a block's output to those at its input, by path."""

    def out_of(perturbations: dict[str, jax.Array]) -> jax.Array:
        def perturb(name: str, value: jax.Array) -> jax.Array:
            return value + perturbations[name] if name in perturbations else value

        return structure.block(*weights).stages(h, use_running_average, perturb)["out"]

    zeros = {BRANCH: jnp.zeros_like(h), SHORTCUT: jnp.zeros_like(h)}
    pull = jax.vjp(out_of, zeros)[1]
    return lambda g: pull(g)[0]
