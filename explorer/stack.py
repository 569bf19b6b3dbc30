"""A stack of blocks, scanned: the engine behind curves over depth, lesions and paths.

Block l of run s (both from 0) is the block that `trace_block` builds from the seed
`seed + 1000·s + l`, so that any of them can be traced alone. The scan runs over
chunks of `CHUNK` blocks, the last one filled up with blocks that pass everything on:
one compile serves every depth, and between two chunks a caller can show progress or stop.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax

from explorer.block import check_features, check_input, check_seed
from explorer.errors import InputError, check_whole_number
from explorer.programs import DRAWS_WEIGHTS
from explorer.recipes import BRANCH, SHORTCUT, Recipe, RecipeBlock
from explorer.trace import check_variant

CHUNK = 16
MAX_DEPTH = 128
MAX_VALUES = 2**25  # of all blocks' inputs, in every lane and copy
SEED_STEP = 1000  # from one run to the next

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Stack:
    """What is stacked: arguments, checked."""

    seed: int
    x: np.ndarray
    recipe: Recipe
    depth: int
    use_running_average: bool

    def seeds(self, run: int = 0) -> np.ndarray:
        """The seeds of a run's blocks, `(depth,)`."""
        first = self.seed + SEED_STEP * run
        return ((first + np.arange(self.depth)) % 2**32).astype(np.uint32)


def check_stack(
    seed: float,
    x: Any,
    features: float,
    depth: float,
    variant: str | Recipe,
    use_running_average: bool,
) -> Stack:
    """The arguments as a `Stack`, or InputError for what cannot be stacked."""
    width = check_features(features)
    array, recipe = check_input(x, width), check_variant(variant)
    in_eval = bool(use_running_average) or recipe.always_eval
    out = jax.eval_shape(lambda given: _run(recipe, jnp.uint32(0), given, in_eval)["out"], array)
    if out.shape != array.shape:
        raise InputError(
            f"A stack needs blocks that keep the shape of x: “{recipe.title}” makes {out.shape} "
            f"of {array.shape}. Choose another variant."
        )
    blocks = check_whole_number("depth", depth, 1, MAX_DEPTH)
    return Stack(check_seed(seed), array, recipe, blocks, in_eval)


def check_size(values: int) -> None:
    """InputError for more values than a stack may keep."""
    if values > MAX_VALUES:
        raise InputError(
            f"This stack would keep {values:,} values; accepted are at most {MAX_VALUES:,}. Take "
            "a smaller input, fewer blocks or fewer runs."
        )


def chunks_of(depth: int) -> list[slice]:
    """The blocks of each chunk."""
    return [slice(start, min(start + CHUNK, depth)) for start in range(0, depth, CHUNK)]


def filled(rows: np.ndarray) -> np.ndarray:
    """The rows of a chunk, filled up to `CHUNK` with zeros: seed 0, not active."""
    missing = CHUNK - rows.shape[0]
    return np.pad(rows, [(0, missing), *((0, 0) for _ in rows.shape[1:])])


def _run(
    recipe: Recipe, seed: jax.Array, x: jax.Array, use_running_average: bool, **hook: Any
) -> dict[str, jax.Array]:
    block = RecipeBlock(recipe, x.shape[-1], nnx.Rngs(jax.random.key(seed)))
    return block.stages(x, use_running_average, **hook)


def silent(done: int, total: int) -> None:
    """Progress that nobody wants to hear of."""


def sent(
    stack: Stack, h: Any, seeds: np.ndarray, active: np.ndarray | None = None
) -> Iterator[tuple[slice, jax.Array, jax.Array, dict[str, jax.Array]]]:
    """Sends `h` `(lanes, copies, H, W, C)` through the stack, chunk by chunk.

    `seeds` and `active` are `(depth, lanes)`; a block that is not active passes h on.

    Yields:
        the chunk, what comes out of it, its blocks' inputs, and their numbers.
    """
    active = np.ones(seeds.shape, bool) if active is None else active
    for chunk in chunks_of(stack.depth):
        rows = filled(seeds[chunk]), filled(active[chunk])
        h, (inputs, numbers) = forward(stack.recipe, h, *rows, stack.use_running_average)
        yield chunk, h, inputs, numbers


@partial(jax.jit, static_argnames=("recipe", "use_running_average"), compiler_options=DRAWS_WEIGHTS)
def forward(
    recipe: Recipe, h: jax.Array, seeds: jax.Array, active: jax.Array, use_running_average: bool
) -> tuple[jax.Array, tuple[jax.Array, dict[str, jax.Array]]]:
    """`h` `(lanes, copies, H, W, C)` through a chunk of blocks, one seed a lane.

    Returns what comes out, and of every block its input and its numbers in the first copy.
    """

    def lane(seed: jax.Array, is_active: jax.Array, copies: jax.Array) -> Any:
        stages = jax.vmap(lambda x: _run(recipe, seed, x, use_running_average))(copies)
        numbers = _numbers(recipe, {name: value[0] for name, value in stages.items()})
        return jnp.where(is_active, stages["out"], copies), numbers

    def block(h: jax.Array, step: tuple[jax.Array, jax.Array]) -> Any:
        out, numbers = jax.vmap(lane)(*step, h)
        return out, (h, numbers)

    return lax.scan(block, h, (seeds, active))


def _numbers(recipe: Recipe, stages: dict[str, jax.Array]) -> dict[str, jax.Array]:
    out, missing = stages["out"], jnp.float32(jnp.nan)
    share = zeroed = missing
    if recipe.identity:
        branch, identity = jnp.var(stages[recipe.residual]), jnp.var(stages[recipe.identity])
        share = branch / (branch + identity)
    if recipe.cut:
        zeroed = jnp.mean(stages[recipe.cut] < 0)
    return {
        "std": jnp.std(out),
        "squared mean": jnp.mean(jnp.mean(out, axis=(0, 1)) ** 2),
        "branch share": share,
        "zeroed": zeroed,
    }


def pull_back(recipe: Recipe, seed: jax.Array, h: jax.Array, use_running_average: bool) -> Any:
    """The function that takes a gradient at a block's output back to its input, by path."""

    def out_of(nudges: dict[str, jax.Array]) -> jax.Array:
        def nudge(name: str, value: jax.Array) -> jax.Array:
            return value + nudges[name] if name in nudges else value

        return _run(recipe, seed, h, use_running_average, nudge=nudge)["out"]

    zeros = {BRANCH: jnp.zeros_like(h), SHORTCUT: jnp.zeros_like(h)}
    pull = jax.vjp(out_of, zeros)[1]
    return lambda g: pull(g)[0]


@partial(jax.jit, static_argnames=("recipe", "use_running_average"), compiler_options=DRAWS_WEIGHTS)
def backward(
    recipe: Recipe,
    inputs: jax.Array,
    g: jax.Array,
    seeds: jax.Array,
    active: jax.Array,
    use_running_average: bool,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """`g` `(lanes, 2, H, W, C)` back through a chunk; its numbers at every block's input."""

    def one(seed: jax.Array, is_active: jax.Array, h: jax.Array, g: jax.Array) -> jax.Array:
        parts = pull_back(recipe, seed, h, use_running_average)(g)
        return jnp.where(is_active, parts[BRANCH] + parts[SHORTCUT], g)

    def block(g: jax.Array, step: tuple[jax.Array, ...]) -> Any:
        seed, is_active, h = step
        over_copies = jax.vmap(one, in_axes=(None, None, 0, 0))
        g = jax.vmap(over_copies)(seed, is_active, h, g)
        return g, jax.vmap(numbers)(g)

    def numbers(pair: jax.Array) -> dict[str, jax.Array]:
        # Squares of exploding gradients leave float32's range, so the size is taken out first.
        size = jnp.max(jnp.abs(pair), axis=(1, 2, 3), keepdims=True)
        scaled = pair / jnp.where(size > 0, size, 1)
        first, other = (copy - jnp.mean(copy) for copy in scaled)
        product = jnp.sqrt(jnp.sum(first**2)) * jnp.sqrt(jnp.sum(other**2))
        return {
            "gradient norm": size[0, 0, 0, 0] * jnp.sqrt(jnp.sum(scaled[0] ** 2)),
            "gradient correlation": jnp.sum(first * other) / product,
        }

    return lax.scan(block, g, (seeds, active, inputs), reverse=True)
