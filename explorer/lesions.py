"""A stack with one block deleted, or two swapped: how much its output changes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explorer.errors import InputError, describe
from explorer.recipes import Recipe
from explorer.stack import (
    CHUNK,
    Progress,
    check_size,
    check_stack,
    sent,
    silent,
)

Kind = Literal["delete", "swap"]


@dataclass(frozen=True)
class LesionRecord:
    """The change of the stack's output, ‖changed − out‖ / ‖out‖, by the index of the block
    that was deleted, or swapped with the next, `(depth,)` or `(depth − 1,)`."""

    recipe: Recipe
    kind: Kind
    change: np.ndarray


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
    stack = check_stack(seed, x, features, depth, variant, use_running_average)
    if kind not in ("delete", "swap"):
        raise InputError(f"kind must be one of delete, swap; got {describe(kind)}.")
    lanes = stack.depth + (kind == "delete")  # the last lane is the stack as it was
    check_size(CHUNK * lanes * stack.x.size)
    block_seeds = np.repeat(stack.seeds()[:, None], lanes, axis=1)
    active = np.ones(block_seeds.shape, bool)
    for lane in range(lanes - 1):
        if kind == "delete":
            active[lane, lane] = False
        else:
            block_seeds[[lane, lane + 1], lane] = block_seeds[[lane + 1, lane], lane]
    tell = progress or silent
    h: Any = np.broadcast_to(stack.x, (lanes, 1, *stack.x.shape))
    for chunk, out, _, _ in sent(stack, h, block_seeds, active):
        h = out
        tell(chunk.stop, stack.depth)
    ends = np.asarray(h[:, 0], np.float64)
    size = np.linalg.norm(ends[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.array([np.linalg.norm(end - ends[-1]) / size for end in ends[:-1]])
    return LesionRecord(stack.recipe, kind, change)
