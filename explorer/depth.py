"""A stack of blocks: what becomes of the signal and the gradient over depth.

Block l of run s (both from 0) is the block that `trace_block` builds from the seed
`seed + 1000·s + l`, so that any of them can be traced alone. The scan runs over
chunks of `CHUNK` blocks, the last one filled up with blocks that pass everything on:
one compile serves every depth, and between two chunks a caller can show progress or stop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax

from explorer.block import check_features, check_input, check_seed
from explorer.errors import InputError, check_whole_number, describe
from explorer.recipes import BRANCH, SHORTCUT, Recipe, RecipeBlock
from explorer.trace import check_variant

CHUNK = 16
MAX_DEPTH, MAX_SEEDS = 128, 32
MAX_VALUES = 2**25  # of all blocks' inputs, both copies of all runs
SEED_STEP = 1000  # from one run to the next
NEAR = 0.05  # distance to the neighbouring input, in standard deviations of x

Progress = Callable[[int, int], None]
Kind = Literal["delete", "swap"]


@dataclass(frozen=True)
class DepthRecord:
    """What happens over depth. Every array in `curves` is `(seeds, depth)` float32.

    Attributes:
        recipe: the block that is stacked.
        curves: by name, at every block,
            "std": standard deviation of its output over all cells;
            "squared mean": mean over channels of the squared mean over rows and columns;
            "branch share": Var(F) / (Var(F) + Var(shortcut)), NaN without a shortcut;
            "zeroed": part that the last ReLU zeroed, NaN without one;
            "gradient norm": ‖∂⟨c, out⟩/∂h‖ at its input h, out being the stack's end and
            c a standard normal;
            "gradient correlation": Pearson's, of that gradient with the one for an input x
            that lies `NEAR` standard deviations away (Balduzzi et al. 2017).
        inputs: of the first run, every block's input, `(depth, H, W, C)`, and its seeds.
        seeds: of the first run's blocks.
    """

    recipe: Recipe
    curves: Mapping[str, np.ndarray]
    inputs: np.ndarray
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class LesionRecord:
    """The change of the stack's output, ‖changed − out‖ / ‖out‖, by the index of the block
    that was deleted, or swapped with the next, `(depth,)` or `(depth − 1,)`."""

    recipe: Recipe
    kind: Kind
    change: np.ndarray


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


@dataclass(frozen=True)
class _Stack:
    """Arguments that every function here takes, checked."""

    seed: int
    x: np.ndarray
    recipe: Recipe
    depth: int
    use_running_average: bool

    def seeds(self, run: int = 0) -> np.ndarray:
        """The seeds of a run's blocks, `(depth,)`."""
        first = self.seed + SEED_STEP * run
        return ((first + np.arange(self.depth)) % 2**32).astype(np.uint32)


def propagate(
    seed: float,
    x: Any,
    features: float,
    *,
    depth: float,
    variant: str | Recipe = "v1",
    seeds: float = 1,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> DepthRecord:
    """Sends x through `depth` blocks of fresh weights, and a gradient back.

    Args:
        seed: whole number 0 … 2³²−1, fixes all weights.
        x: real array `(H, W, C)` with C equal to `features`.
        features: whole number ≥ 1.
        depth: blocks, 1 … 128.
        variant: a key of `VARIANTS`, or a recipe, that keeps the shape of x.
        seeds: runs with weights of their own, 1 … 32.
        use_running_average: False is train mode, True is eval mode.
        progress: called with the blocks done and to do, after each chunk.

    Raises:
        InputError: an argument is outside what is said above, or all together are too large.
    """
    stack = _check(seed, x, features, depth, variant, use_running_average)
    runs = check_whole_number("seeds", seeds, 1, MAX_SEEDS)
    _check_size(2 * CHUNK * len(_chunks(stack.depth)) * runs * stack.x.size)
    block_seeds = np.stack([stack.seeds(run) for run in range(runs)], axis=1)
    random = np.random.default_rng(stack.seed)
    noise = random.standard_normal(stack.x.shape, np.float32)
    pair = np.stack([stack.x, stack.x + NEAR * stack.x.std() * noise])
    cotangent = random.standard_normal(stack.x.shape, np.float32)

    total, done, chunks = 2 * stack.depth, 0, _chunks(stack.depth)
    h = np.broadcast_to(pair, (runs, *pair.shape))
    kept, forward = [], []
    for chunk in chunks:
        h, (inputs, numbers) = _forward(
            stack.recipe,
            h,
            _filled(block_seeds[chunk]),
            _filled(np.ones((chunk.stop - chunk.start, runs), bool)),
            stack.use_running_average,
        )
        kept.append(inputs)
        forward.append(jax.device_get(numbers))
        done += chunk.stop - chunk.start
        if progress:
            progress(done, total)
    g = np.broadcast_to(cotangent, (runs, 2, *stack.x.shape))
    backward: list[Mapping[str, np.ndarray]] = []
    for chunk, inputs in zip(reversed(chunks), reversed(kept), strict=True):
        g, numbers = _backward(
            stack.recipe,
            inputs,
            g,
            _filled(block_seeds[chunk]),
            _filled(np.ones((chunk.stop - chunk.start, runs), bool)),
            stack.use_running_average,
        )
        backward.insert(0, jax.device_get(numbers))
        done += chunk.stop - chunk.start
        if progress:
            progress(done, total)
    curves = {
        name: np.concatenate([chunk[name] for chunk in found])[: stack.depth].T
        for found in (forward, backward)
        for name in found[0]
    }
    first = np.concatenate([np.asarray(inputs[:, 0, 0]) for inputs in kept])[: stack.depth].copy()
    for array in (first, *curves.values()):
        array.setflags(write=False)
    seeds_of_first = tuple(int(each) for each in block_seeds[:, 0])
    return DepthRecord(stack.recipe, MappingProxyType(curves), first, seeds_of_first)


def lesion(
    seed: float,
    x: Any,
    features: float,
    *,
    depth: float,
    kind: Kind,
    variant: str | Recipe = "v1",
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> LesionRecord:
    """Deletes each block in turn, or swaps it with the next, and compares the stack's output.

    Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow
    Networks*, Fig. 3 and 5. Arguments are those of `propagate`; `kind` is "delete" or
    "swap". The order of the weights alone is changed, never the weights.

    Raises:
        InputError: an argument is outside what is said above, or all together are too large.
    """
    stack = _check(seed, x, features, depth, variant, use_running_average)
    if kind not in ("delete", "swap"):
        raise InputError(f"kind must be one of delete, swap; got {describe(kind)}.")
    lanes = stack.depth + (kind == "delete")  # the last lane is the stack as it was
    _check_size(CHUNK * lanes * stack.x.size)
    block_seeds = np.repeat(stack.seeds()[:, None], lanes, axis=1)
    active = np.ones(block_seeds.shape, bool)
    for lane in range(lanes - 1):
        if kind == "delete":
            active[lane, lane] = False
        else:
            block_seeds[[lane, lane + 1], lane] = block_seeds[[lane + 1, lane], lane]
    h: Any = np.broadcast_to(stack.x, (lanes, 1, *stack.x.shape))
    for chunk in _chunks(stack.depth):
        h, _ = _forward(
            stack.recipe,
            h,
            _filled(block_seeds[chunk]),
            _filled(active[chunk]),
            stack.use_running_average,
        )
        if progress:
            progress(chunk.stop, stack.depth)
    ends = np.asarray(h[:, 0], np.float64)
    size = np.linalg.norm(ends[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.array([np.linalg.norm(end - ends[-1]) / size for end in ends[:-1]])
    return LesionRecord(stack.recipe, kind, change)


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
    stack = _check(seed, x, features, depth, variant, use_running_average)
    if stack.recipe.shortcut is None:
        raise InputError("Paths need a shortcut, and this variant has none: it has one path.")
    count = check_whole_number("samples", samples, 2, 64)
    lengths = np.unique(np.linspace(0, stack.depth, min(stack.depth + 1, 33)).round().astype(int))
    random = np.random.default_rng(stack.seed)
    cotangent = random.standard_normal(stack.x.shape, np.float32)
    through = np.concatenate(
        [_paths(random, stack.depth, int(length), count) for length in lengths], axis=1
    )
    _check_size(through.shape[1] * stack.x.size)
    gradients = path_gradients(stack, cotangent, through, progress)
    norms = np.linalg.norm(gradients.reshape(len(lengths), count, -1).astype(np.float64), axis=2)
    choices = np.array([_binomial(stack.depth, int(k)) for k in lengths])
    return PathRecord(
        stack.depth, lengths, choices, norms.mean(axis=1), norms.std(axis=1, ddof=1) / count**0.5
    )


def path_gradients(
    stack: _Stack, cotangent: np.ndarray, through: np.ndarray, progress: Progress | None = None
) -> np.ndarray:
    """The gradient at x along paths: `through` `(depth, paths)` says where they take F."""
    h: Any = stack.x[None, None]
    kept, chunks, total = [], _chunks(stack.depth), 2 * stack.depth
    seeds = stack.seeds()[:, None]
    for chunk in chunks:
        active = _filled(np.ones((chunk.stop - chunk.start, 1), bool))
        h, (inputs, _) = _forward(
            stack.recipe, h, _filled(seeds[chunk]), active, stack.use_running_average
        )
        kept.append(inputs[:, 0, 0])
        if progress:
            progress(chunk.stop, total)
    g: Any = np.broadcast_to(cotangent, (through.shape[1], *cotangent.shape))
    for chunk, inputs in zip(reversed(chunks), reversed(kept), strict=True):
        g = _backward_along(
            stack.recipe,
            inputs,
            g,
            _filled(seeds[chunk, 0]),
            _filled(np.ones(chunk.stop - chunk.start, bool)),
            _filled(through[chunk]),
            stack.use_running_average,
        )
        if progress:
            progress(total - chunk.start, total)
    return np.asarray(g)


def _paths(random: np.random.Generator, depth: int, length: int, count: int) -> np.ndarray:
    """`count` choices of `length` out of `depth` blocks, `(depth, count)` bool."""
    ranks = random.random((depth, count)).argsort(axis=0).argsort(axis=0)
    return ranks < length


def _binomial(n: int, k: int) -> float:
    """C(n, k) / 2ⁿ."""
    return float(np.exp2(-n + np.sum(np.log2(np.arange(n, n - k, -1) / np.arange(1, k + 1)))))


def _check(
    seed: float,
    x: Any,
    features: float,
    depth: float,
    variant: str | Recipe,
    use_running_average: bool,
) -> _Stack:
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
    return _Stack(check_seed(seed), array, recipe, blocks, in_eval)


def _check_size(values: int) -> None:
    if values > MAX_VALUES:
        raise InputError(
            f"This stack would keep {values:,} values; accepted are at most {MAX_VALUES:,}. Take "
            "a smaller input, fewer blocks or fewer runs."
        )


def _chunks(depth: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, depth)) for start in range(0, depth, CHUNK)]


def _filled(rows: np.ndarray) -> np.ndarray:
    """The rows of a chunk, filled up to `CHUNK` with zeros: seed 0, not active."""
    missing = CHUNK - rows.shape[0]
    return np.pad(rows, [(0, missing), *((0, 0) for _ in rows.shape[1:])])


def _run(
    recipe: Recipe, seed: jax.Array, x: jax.Array, use_running_average: bool, **hook: Any
) -> dict[str, jax.Array]:
    block = RecipeBlock(recipe, x.shape[-1], nnx.Rngs(jax.random.key(seed)))
    return block.stages(x, use_running_average, **hook)


@partial(jax.jit, static_argnames=("recipe", "use_running_average"))
def _forward(
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


def _pull(recipe: Recipe, seed: jax.Array, h: jax.Array, use_running_average: bool) -> Any:
    """The function that takes a gradient at a block's output back to its input, by path."""

    def out_of(nudges: dict[str, jax.Array]) -> jax.Array:
        def nudge(name: str, value: jax.Array) -> jax.Array:
            return value + nudges[name] if name in nudges else value

        return _run(recipe, seed, h, use_running_average, nudge=nudge)["out"]

    zeros = {BRANCH: jnp.zeros_like(h), SHORTCUT: jnp.zeros_like(h)}
    pull = jax.vjp(out_of, zeros)[1]
    return lambda g: pull(g)[0]


@partial(jax.jit, static_argnames=("recipe", "use_running_average"))
def _backward(
    recipe: Recipe,
    inputs: jax.Array,
    g: jax.Array,
    seeds: jax.Array,
    active: jax.Array,
    use_running_average: bool,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """`g` `(lanes, 2, H, W, C)` back through a chunk; its numbers at every block's input."""

    def one(seed: jax.Array, is_active: jax.Array, h: jax.Array, g: jax.Array) -> jax.Array:
        parts = _pull(recipe, seed, h, use_running_average)(g)
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


@partial(jax.jit, static_argnames=("recipe", "use_running_average"))
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
        parts = jax.vmap(_pull(recipe, seed, h, use_running_average))(g)
        along = jnp.where(takes_f[:, None, None, None], parts[BRANCH], parts[SHORTCUT])
        return jnp.where(is_active, along, g), None

    return lax.scan(block, g, (inputs, seeds, active, through), reverse=True)[0]
