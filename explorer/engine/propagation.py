"""Signal and gradient over the depth of a stack."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from explorer.engine.forward import check_arguments
from explorer.engine.progress import Progress, check_progress
from explorer.engine.stack import Stack
from explorer.engine.stack_chunks import (
    CHUNK,
    check_size,
    chunks_of,
    pull_back,
    row_of,
    send_forward,
)
from explorer.errors import check_type
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.spec import BlockSpec
from explorer.model.weights import Structure
from explorer.records import DepthRecord

NEAR = 0.05  # distance to the neighbouring input, in standard deviations of x


def propagate(
    seed: float,
    x: Any,
    features: float,
    *,
    depth: float,
    variant: str | BlockSpec = "v1",
    seeds: float = 1,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> DepthRecord:
    """Send `x` forward through `depth` blocks of fresh weights, and a gradient backward.

    Args:
        seed: integer 0 … 2³²−1, fixes all weights.
        x: real array `(H, W, C)` or `(N, H, W, C)` with C equal to `features`.
        features: integer ≥ 1.
        depth: number of blocks, 1 … 128.
        variant: a key of `VARIANTS`, or a spec, that keeps the shape of x.
        seeds: number of runs, each with its own weights, 1 … 32.
        use_running_average: False is train mode, True is eval mode.
        progress: called after each chunk with the number of blocks done and in total.

    Raises:
        InputError: an argument is outside its documented range, or the computation is too large.
    """
    check_arguments(seed, x, features)
    stack = Stack.from_seed(seed, features, depth, variant, runs=seeds)
    return propagate_stack(
        stack, x, seed=seed, use_running_average=use_running_average, progress=progress
    )


def propagate_stack(
    stack: Stack,
    x: Any,
    *,
    seed: float = 0,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> DepthRecord:
    """Send `x` forward through a stack, and a gradient backward.

    `seed`, an integer 0 … 2³²−1, fixes the nearby input and the cotangent; the other arguments
    are those of `propagate`.
    """
    given, in_eval = check_type("stack", stack, Stack).check_input(x, use_running_average)
    depth, runs = stack.depth, stack.runs
    report, total = check_progress(progress), 2 * depth
    check_size(2 * CHUNK * len(chunks_of(depth)) * runs * given.size)
    noise = random_stream(seed, Purpose.NEARBY_INPUT).standard_normal(given.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.float32(NEAR * given.std(dtype=np.float64))  # float32's squares may overflow
        pair = np.stack([given, given + distance * noise])
    cotangent = random_stream(seed, Purpose.COTANGENT).standard_normal(given.shape, np.float32)

    order = np.arange(depth * runs).reshape(depth, runs)
    visited, forward_numbers = [], []
    start = np.broadcast_to(pair, (runs, *pair.shape))
    sent = send_forward(stack, start, order, in_eval, capacity=CHUNK * runs)
    for chunk, weights, _, inputs, numbers in sent:
        visited.append((chunk, weights, inputs))
        forward_numbers.append(jax.device_get(numbers))
        report(chunk.stop, total)
    g: Any = np.broadcast_to(cotangent, (runs, 2, *given.shape))
    backward_numbers: list[Mapping[str, np.ndarray]] = []
    for chunk, weights, inputs in reversed(visited):
        g, numbers = _backward(
            stack.structure, inputs, g, weights.rows, weights.index, weights.active, in_eval
        )
        backward_numbers.insert(0, jax.device_get(numbers))
        report(total - chunk.start, total)
    curves = {
        name: np.concatenate([chunk[name] for chunk in numbers])[:depth].T
        for numbers in (forward_numbers, backward_numbers)
        for name in numbers[0]
    }
    for name in ("branch share", "zeros"):  # which not every block has
        curves.setdefault(name, np.full((runs, depth), np.nan, np.float32))
    of_first = np.concatenate([np.asarray(inputs[:, 0, 0]) for _, _, inputs in visited])
    first = of_first[:depth].copy()  # without the inactive blocks
    for array in (first, *curves.values()):
        array.setflags(write=False)
    return DepthRecord(stack.spec, MappingProxyType(curves), first, stack.seeds)


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def _backward(
    structure: Structure,
    inputs: jax.Array,
    g: jax.Array,
    rows: tuple[Any, Any],
    index: jax.Array,
    active: jax.Array,
    use_running_average: bool,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Send `g` `(lanes, 2, *x.shape)` back through a chunk.

    Return it, and its norm and correlation at every block's input.
    """

    def one(at: jax.Array, is_active: jax.Array, h: jax.Array, g: jax.Array) -> jax.Array:
        parts = pull_back(structure, row_of(rows, at), h, use_running_average)(g)
        return jnp.where(is_active, parts[BRANCH] + parts[SHORTCUT], g)

    def block(g: jax.Array, step: tuple[jax.Array, ...]) -> Any:
        at, is_active, h = step
        over_copies = jax.vmap(one, in_axes=(None, None, 0, 0))
        g = lax.map(lambda given: over_copies(*given), (at, is_active, h, g))
        return g, jax.vmap(_gradient_numbers)(g)

    return lax.scan(block, g, (index, active, inputs), reverse=True)


def _gradient_numbers(pair: jax.Array) -> dict[str, jax.Array]:
    # Squares of exploding gradients exceed float32's range, so the gradients are scaled first.
    axes = tuple(range(1, pair.ndim))
    size = jnp.max(jnp.abs(pair), axis=axes, keepdims=True)
    scaled = pair / jnp.where(size > 0, size, 1)
    first, other = (copy - jnp.mean(copy) for copy in scaled)
    product = jnp.sqrt(jnp.sum(first**2)) * jnp.sqrt(jnp.sum(other**2))
    return {
        "gradient norm": size[0].reshape(()) * jnp.sqrt(jnp.sum(scaled[0] ** 2)),
        "gradient correlation": jnp.sum(first * other) / product,
    }
