"""The blocks of a stack, run chunk by chunk.

The blocks run in a scan over chunks of `CHUNK`, the last one padded with inactive blocks that
return their input: every depth uses the same compiled program, and between two chunks a caller
can show progress or stop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from explorer.engine.stack import Stack
from explorer.errors import InputError
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.spec import BlockSpec
from explorer.model.weights import Structure

CHUNK = 16
MAX_VALUES = 2**25  # of all blocks' inputs, in every lane and copy


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
        out, numbers = lax.map(lambda given: lane(*given), (*step, h))
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
