"""Ablation: how much a stack's output changes when one block is deleted or two are swapped.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*,
Fig. 3 and 5, who call it a lesion study.
"""

from typing import Any, get_args

import numpy as np

from explorer.engine.progress import Progress, check_progress
from explorer.engine.stack import Stack
from explorer.engine.stack_blocks import (
    check_size,
    outputs_of,
    report_blocks,
    weights_of,
)
from explorer.errors import check_choice, check_type
from explorer.records import AblationKind, AblationRecord

HELD = 16  # arrays of the size of x for each lane, at most, while a block runs


def ablate(
    stack: Stack,
    x: Any,
    *,
    kind: AblationKind,
    use_running_average: bool = False,
    progress: Progress | None = None,
) -> AblationRecord:
    """Delete each block of the first run in turn, or swap it with the next one.

    Args:
        stack: the stack to change; its weights stay the same, only their order changes.
        x: real array `(H, W, C)` or `(N, H, W, C)` with the stack's C.
        kind: "delete" or "swap".
        use_running_average: False is train mode, True is eval mode.
        progress: called now and then with the number of blocks done and in total.

    Returns:
        The change of the stack's output for every block.

    Raises:
        InputError: an argument is outside its documented range, or the computation is too large.
    """
    given, in_eval = check_type("stack", stack, Stack).check_input(x, use_running_average)
    check_choice("kind", kind, get_args(AblationKind))
    report = check_progress(progress)
    lanes = stack.depth + (kind == "delete")  # the last lane is the unchanged stack
    check_size(HELD * lanes * given.size)
    h: Any = np.broadcast_to(given, (lanes, *given.shape))
    for block in range(stack.depth):
        out = outputs_of(stack.structure, weights_of(stack, block), h, in_eval)
        if kind == "delete":
            out = out.at[block].set(h[block])
        else:
            # Lane l has block l + 1 in place of block l, and then block l.
            for lane, other in ((block, block + 1), (block - 1, block - 1)):
                if 0 <= lane < lanes - 1:
                    moved = weights_of(stack, other)
                    one = outputs_of(stack.structure, moved, h[lane : lane + 1], in_eval)
                    out = out.at[lane].set(one[0])
        h = out
        report_blocks(report, block + 1, stack.depth, h)
    ends = np.asarray(h, np.float64)
    size = np.linalg.norm(ends[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.array([np.linalg.norm(end - ends[-1]) / size for end in ends[:-1]])
    change.setflags(write=False)
    return AblationRecord(stack.spec, kind, change)
