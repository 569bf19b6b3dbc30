"""Ablation: how much a stack's output changes when one block is deleted or two are swapped.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*,
Fig. 3 and 5, who call it a lesion study.
"""

from typing import Any, get_args

import numpy as np

from explorer.engine.progress import Progress, check_progress
from explorer.engine.stack import Stack
from explorer.engine.stack_chunks import CHUNK, check_size, send_forward
from explorer.errors import check_choice, check_type
from explorer.records import AblationKind, AblationRecord


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
        progress: called after each chunk with the number of blocks done and in total.

    Returns:
        The change of the stack's output for every block.

    Raises:
        InputError: an argument is outside its documented range, or the computation is too large.
    """
    given, in_eval = check_type("stack", stack, Stack).check_input(x, use_running_average)
    check_choice("kind", kind, get_args(AblationKind))
    report = check_progress(progress)
    lanes = stack.depth + (kind == "delete")  # the last lane is the unchanged stack
    check_size(CHUNK * lanes * given.size)
    order = np.repeat(stack.runs * np.arange(stack.depth)[:, None], lanes, axis=1)
    active = np.ones(order.shape, bool)
    for lane in range(lanes - 1):
        if kind == "delete":
            active[lane, lane] = False
        else:
            order[[lane, lane + 1], lane] = order[[lane + 1, lane], lane]
    h: Any = np.broadcast_to(given, (lanes, 1, *given.shape))
    # A swap at a chunk's border needs the neighbouring block of the other chunk.
    sent = send_forward(stack, h, order, in_eval, capacity=CHUNK + 2, active=active)
    for chunk, _, out, _, _ in sent:
        h = out
        report(chunk.stop, stack.depth)
    ends = np.asarray(h[:, 0], np.float64)
    size = np.linalg.norm(ends[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.array([np.linalg.norm(end - ends[-1]) / size for end in ends[:-1]])
    change.setflags(write=False)
    return AblationRecord(stack.spec, kind, change)
