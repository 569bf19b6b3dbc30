"""Numbers of a training's history at the steps at which its network was kept."""

from collections.abc import Mapping

import numpy as np

from explorer.errors import InputError, check_array, check_integer, describe

GRADIENT_NORM = "gradient norm"


def gradient_norms_at(history: Mapping[str, np.ndarray], step: int) -> np.ndarray:
    """Return every block's gradient norm of the training loss at a kept network, `(blocks,)`.

    Row i of `history["gradient norm"]`, counted from 0, is of the batch of step i + 1, with the
    weights as they are after i steps. So the row with index `step` is the first gradient that was
    taken with the network kept at `step`. After the last step no gradient was taken; the result
    is then the last row, of the weights one step earlier.

    Args:
        history: of a `TrainingRun`.
        step: number of steps before the network was kept, 0 … steps done.

    Raises:
        InputError: an argument is outside its documented range.
    """
    if not isinstance(history, Mapping) or GRADIENT_NORM not in history:
        raise InputError(
            f"history must be that of a training run, with “{GRADIENT_NORM}”; got "
            f"{describe(history)}."
        )
    norms = check_array(GRADIENT_NORM, history[GRADIENT_NORM], 2)
    step = check_integer("step", step, 0, len(norms))
    return norms[min(step, len(norms) - 1)]
