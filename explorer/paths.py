"""Gradients along single paths through a stack, by how many branches they take."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from explorer.errors import InputError, check_whole_number
from explorer.programs import DRAWS_WEIGHTS
from explorer.recipes import BRANCH, SHORTCUT, Recipe
from explorer.stack import (
    Progress,
    Stack,
    check_size,
    check_stack,
    filled,
    pull_back,
    sent,
    silent,
)


@dataclass(frozen=True)
class PathRecord:
    """Gradients along single paths: through F in k blocks, through the shortcut in the others.

    Attributes:
        depth: number of blocks, n.
        lengths: the k that were sampled.
        paths: part of all 2ⁿ paths that has this length, C(n, k) / 2ⁿ.
        norm: mean norm of the gradient at x along one path of this length.
        error: its standard error over the sampled paths.
    """

    depth: int
    lengths: np.ndarray
    paths: np.ndarray
    norm: np.ndarray
    error: np.ndarray


def path_lengths(
    seed: float,
    x: Any,
    features: float,
    *,
    depth: float,
    samples: float = 16,
    variant: str | Recipe = "v1",
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> PathRecord:
    """Samples paths of every length and measures the gradient that comes back along them.

    A path of length k goes through F in k blocks and through the shortcut in the others;
    what comes after the sum is on every path. Over all 2ⁿ paths these gradients add up to
    the whole one. Of more than 33 lengths 33 are sampled, evenly. Veit et al. 2016, Fig. 6.

    Args:
        samples: paths of each length, 2 … 64, drawn with a generator fixed by `seed`.
        seed, x, features, depth, variant, use_running_average, progress: as for `propagate`.

    Raises:
        InputError: an argument is outside what is said above, or all together are too large.
    """
    stack = check_stack(seed, x, features, depth, variant, use_running_average)
    if stack.recipe.shortcut is None:
        raise InputError("Paths need a shortcut, and this variant has none: it has one path.")
    count = check_whole_number("samples", samples, 2, 64)
    lengths = np.unique(np.linspace(0, stack.depth, min(stack.depth + 1, 33)).round().astype(int))
    random = np.random.default_rng(stack.seed)
    cotangent = random.standard_normal(stack.x.shape, np.float32)
    through = np.concatenate(
        [_paths(random, stack.depth, int(length), count) for length in lengths], axis=1
    )
    check_size(through.shape[1] * stack.x.size)
    gradients = path_gradients(stack, cotangent, through, progress)
    norms = np.linalg.norm(gradients.reshape(len(lengths), count, -1).astype(np.float64), axis=2)
    choices = np.array([_binomial(stack.depth, int(k)) for k in lengths])
    return PathRecord(
        stack.depth, lengths, choices, norms.mean(axis=1), norms.std(axis=1, ddof=1) / count**0.5
    )


def path_gradients(
    stack: Stack, cotangent: np.ndarray, through: np.ndarray, progress: Progress | None = None
) -> np.ndarray:
    """The gradient at x along paths: `through` `(depth, paths)` says where they take F."""
    tell, total = progress or silent, 2 * stack.depth
    seeds, kept = stack.seeds(), []
    for chunk, _, inputs, _ in sent(stack, stack.x[None, None], seeds[:, None]):
        kept.append((chunk, inputs[:, 0, 0]))
        tell(chunk.stop, total)
    g: Any = np.broadcast_to(cotangent, (through.shape[1], *cotangent.shape))
    for chunk, inputs in reversed(kept):
        g = _backward_along(
            stack.recipe,
            inputs,
            g,
            filled(seeds[chunk]),
            filled(np.ones(seeds[chunk].shape, bool)),
            filled(through[chunk]),
            stack.use_running_average,
        )
        tell(total - chunk.start, total)
    return np.asarray(g)


def _paths(random: np.random.Generator, depth: int, length: int, count: int) -> np.ndarray:
    """`count` choices of `length` out of `depth` blocks, `(depth, count)` bool."""
    ranks = random.random((depth, count)).argsort(axis=0).argsort(axis=0)
    return ranks < length


def _binomial(n: int, k: int) -> float:
    """C(n, k) / 2ⁿ."""
    return float(np.exp2(-n + np.sum(np.log2(np.arange(n, n - k, -1) / np.arange(1, k + 1)))))


@partial(jax.jit, static_argnames=("recipe", "use_running_average"), compiler_options=DRAWS_WEIGHTS)
def _backward_along(
    recipe: Recipe,
    inputs: jax.Array,
    g: jax.Array,
    seeds: jax.Array,
    active: jax.Array,
    through: jax.Array,
    use_running_average: bool,
) -> jax.Array:
    """`g` `(paths, H, W, C)` back through a chunk, through F where `through` says so."""

    def block(g: jax.Array, step: tuple[jax.Array, ...]) -> Any:
        h, seed, is_active, takes_f = step
        parts = jax.vmap(pull_back(recipe, seed, h, use_running_average))(g)
        along = jnp.where(takes_f[:, None, None, None], parts[BRANCH], parts[SHORTCUT])
        return jnp.where(is_active, along, g), None

    return lax.scan(block, g, (inputs, seeds, active, through), reverse=True)[0]
