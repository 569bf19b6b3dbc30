"""Signal and gradient over the depth of a stack."""

from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from explorer.engine.forward import check_arguments
from explorer.engine.progress import Progress, check_progress
from explorer.engine.stack import Stack
from explorer.engine.stack_blocks import (
    Weights,
    check_size,
    pull_back,
    report_blocks,
    run_block,
    stacked,
    weights_of,
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
        progress: called now and then with the number of blocks done and in total.

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
    check_size(2 * depth * runs * given.size)
    noise = random_stream(seed, Purpose.NEARBY_INPUT).standard_normal(given.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.float32(NEAR * given.std(dtype=np.float64))  # float32's squares may overflow
        pair = np.stack([given, given + distance * noise])
    cotangent = random_stream(seed, Purpose.COTANGENT).standard_normal(given.shape, np.float32)

    h: list[Any] = [pair] * runs
    visited: list[list[Any]] = []
    forward_numbers: list[list[dict[str, jax.Array]]] = []
    for block in range(depth):
        visited.append(h)
        sent = [
            run_block(stack.structure, weights_of(stack, block, run), h[run], in_eval)
            for run in range(runs)
        ]
        h = [out for out, _ in sent]
        forward_numbers.append([numbers for _, numbers in sent])
        report_blocks(report, block + 1, total, h)
    g: list[Any] = [np.stack([cotangent, cotangent])] * runs
    backward_numbers: list[list[dict[str, jax.Array]]] = []
    for block in reversed(range(depth)):
        sent = [
            _backward(
                stack.structure, weights_of(stack, block, run), visited[block][run], g[run], in_eval
            )
            for run in range(runs)
        ]
        g = [gradient for gradient, _ in sent]
        backward_numbers.insert(0, [numbers for _, numbers in sent])
        report_blocks(report, total - block, total, g)
    curves = stacked(forward_numbers) | stacked(backward_numbers)
    for name in ("branch share", "zeros"):  # which not every block has
        curves.setdefault(name, np.full((runs, depth), np.nan, np.float32))
    first = np.stack([np.asarray(inputs[0][0]) for inputs in visited])
    for array in (first, *curves.values()):
        array.setflags(write=False)
    return DepthRecord(stack.spec, MappingProxyType(curves), first, stack.seeds)


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def _backward(
    structure: Structure, weights: Weights, h: jax.Array, g: jax.Array, use_running_average: bool
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Send `g` `(2, *x.shape)` back through a block; return it at the input, with its numbers."""

    def one(h: jax.Array, g: jax.Array) -> jax.Array:
        parts = pull_back(structure, weights, h, use_running_average)(g)
        return parts[BRANCH] + parts[SHORTCUT]

    found = jax.vmap(one)(h, g)
    return found, _gradient_numbers(found)


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
