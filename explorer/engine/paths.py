"""Gradients along single paths through a stack, by path length."""

from functools import partial
from typing import Any

import jax
import numpy as np

from explorer.engine.progress import Progress, check_progress
from explorer.engine.stack import Stack
from explorer.engine.stack_blocks import (
    Weights,
    check_size,
    outputs_of,
    pull_back,
    report_blocks,
    weights_of,
)
from explorer.errors import InputError, check_integer, check_type
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.weights import Structure
from explorer.records import PathRecord

GROUP = 132  # paths whose gradients fit in the processor's cache
STEP = 8  # numbers of paths through F for which programs are compiled are its multiples


def path_lengths(
    stack: Stack,
    x: Any,
    *,
    samples: float = 16,
    seed: float = 0,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> PathRecord:
    """Sample paths of every length and measure the gradient that returns along them.

    A path of length k goes through F in k blocks and through the shortcut in the others;
    the layers after the sum are on every path. The gradients of all 2ⁿ paths add up to
    the whole gradient. At most 33 evenly spaced lengths are sampled. Veit et al. 2016, Fig. 6.

    Args:
        stack: the stack; only its first run is used.
        x: real array `(H, W, C)` or `(N, H, W, C)` with the stack's C.
        samples: paths of each length, 2 … 64.
        seed: integer 0 … 2³²−1, fixes the cotangent and the paths.
        use_running_average: False is train mode, True is eval mode.
        progress: called now and then with the number of blocks done and in total.

    Raises:
        InputError: an argument is outside its documented range, or the computation is too large.
    """
    given, in_eval = check_type("stack", stack, Stack).check_input(x, use_running_average)
    check_progress(progress)
    if stack.spec.shortcut is None:
        raise InputError(
            f"Paths need a shortcut, and “{stack.spec.title}” has none. Choose another variant."
        )
    count = check_integer("samples", samples, 2, 64)
    lengths = np.unique(np.linspace(0, stack.depth, min(stack.depth + 1, 33)).round().astype(int))
    cotangent = random_stream(seed, Purpose.COTANGENT).standard_normal(given.shape, np.float32)
    random = random_stream(seed, Purpose.PATHS)
    through = np.concatenate(
        [_paths(random, stack.depth, int(length), count) for length in lengths], axis=1
    )
    check_size(through.shape[1] * given.size)
    gradients = path_gradients(stack, given, cotangent, through, in_eval, progress)
    norms = np.linalg.norm(gradients.reshape(len(lengths), count, -1).astype(np.float64), axis=2)
    fractions = np.array([_binomial(stack.depth, k) for k in range(stack.depth + 1)])
    arrays = (lengths, fractions, norms.mean(axis=1), norms.std(axis=1, ddof=1) / count**0.5)
    for array in arrays:
        array.setflags(write=False)
    return PathRecord(stack.depth, *arrays)


def path_gradients(
    stack: Stack,
    x: np.ndarray,
    cotangent: np.ndarray,
    through: np.ndarray,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the gradient at x along paths, `(paths, *x.shape)`.

    `through` `(depth, paths)` is True where a path goes through F.
    """
    report, total = check_progress(progress), 2 * stack.depth
    h: Any = x[None]
    visited = []
    for block in range(stack.depth):
        visited.append(h)
        h = outputs_of(stack.structure, weights_of(stack, block), h, use_running_average)
        report_blocks(report, block + 1, total, h)
    # Every group has paths of all lengths, so about as many take F in each.
    count = -(-through.shape[1] // GROUP)
    groups = [through[:, start::count] for start in range(count)]
    g: list[Any] = [np.broadcast_to(cotangent, (each.shape[1], *x.shape)) for each in groups]
    for block in reversed(range(stack.depth)):
        given = stack.structure, weights_of(stack, block), visited[block][0]
        for number, group in enumerate(groups):
            taking = _padded(np.flatnonzero(group[block]))
            g[number] = _backward_along(*given, g[number], taking, use_running_average)
        report_blocks(report, total - block, total, g)
    gradients = np.empty((through.shape[1], *x.shape), np.float32)
    for start, found in enumerate(g):
        gradients[start::count] = found
    return gradients


def _padded(paths: np.ndarray) -> np.ndarray:
    """Return numbers of paths, some of them twice, so that few sizes are compiled."""
    return np.resize(paths, -(-paths.size // STEP) * STEP)


def _paths(random: np.random.Generator, depth: int, length: int, count: int) -> np.ndarray:
    """Return `count` choices of `length` out of `depth` blocks, `(depth, count)` bool."""
    ranks = random.random((depth, count)).argsort(axis=0).argsort(axis=0)
    return ranks < length


def _binomial(n: int, k: int) -> float:
    """Return C(n, k) / 2ⁿ."""
    return float(np.exp2(-n + np.sum(np.log2(np.arange(n, n - k, -1) / np.arange(1, k + 1)))))


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def _backward_along(
    structure: Structure,
    weights: Weights,
    h: jax.Array,
    g: jax.Array,
    through: jax.Array,
    use_running_average: bool,
) -> jax.Array:
    """Send `g` `(paths, *x.shape)` back through a block; the paths `through` go through F."""
    pull = pull_back(structure, weights, h, use_running_average)
    along = jax.vmap(lambda one: pull(one)[SHORTCUT])(g)
    return along.at[through].set(jax.vmap(lambda one: pull(one)[BRANCH])(g[through]))
