"""What becomes of the signal and the gradient over the depth of a stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from explorer.errors import check_whole_number
from explorer.recipes import Recipe
from explorer.stack import (
    CHUNK,
    Progress,
    backward,
    check_size,
    check_stack,
    chunks_of,
    filled,
    sent,
    silent,
)

MAX_SEEDS = 32
NEAR = 0.05  # distance to the neighbouring input, in standard deviations of x


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
        inputs: every block's input in the first run, `(depth, H, W, C)`.
        seeds: the seeds of the first run's blocks.
    """

    recipe: Recipe
    curves: Mapping[str, np.ndarray]
    inputs: np.ndarray
    seeds: tuple[int, ...]


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
    stack = check_stack(seed, x, features, depth, variant, use_running_average)
    runs = check_whole_number("seeds", seeds, 1, MAX_SEEDS)
    check_size(2 * CHUNK * len(chunks_of(stack.depth)) * runs * stack.x.size)
    block_seeds = np.stack([stack.seeds(run) for run in range(runs)], axis=1)
    random = np.random.default_rng(stack.seed)
    noise = random.standard_normal(stack.x.shape, np.float32)
    pair = np.stack([stack.x, stack.x + NEAR * stack.x.std() * noise])
    cotangent = random.standard_normal(stack.x.shape, np.float32)

    tell, total = progress or silent, 2 * stack.depth
    kept, ahead = [], []
    start = np.broadcast_to(pair, (runs, *pair.shape))
    for chunk, _, inputs, numbers in sent(stack, start, block_seeds):
        kept.append((chunk, inputs))
        ahead.append(jax.device_get(numbers))
        tell(chunk.stop, total)
    g: Any = np.broadcast_to(cotangent, (runs, 2, *stack.x.shape))
    behind: list[Mapping[str, np.ndarray]] = []
    for chunk, inputs in reversed(kept):
        seeds_here = block_seeds[chunk]
        g, numbers = backward(
            stack.recipe,
            inputs,
            g,
            filled(seeds_here),
            filled(np.ones(seeds_here.shape, bool)),
            stack.use_running_average,
        )
        behind.insert(0, jax.device_get(numbers))
        tell(total - chunk.start, total)
    curves = {
        name: np.concatenate([chunk[name] for chunk in found])[: stack.depth].T
        for found in (ahead, behind)
        for name in found[0]
    }
    of_first = np.concatenate([np.asarray(inputs[:, 0, 0]) for _, inputs in kept])
    first = of_first[: stack.depth].copy()  # without the chunk's filling
    for array in (first, *curves.values()):
        array.setflags(write=False)
    seeds_of_first = tuple(int(each) for each in block_seeds[:, 0])
    return DepthRecord(stack.recipe, MappingProxyType(curves), first, seeds_of_first)
