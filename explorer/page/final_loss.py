"""The training loss at the end of a training."""

from collections.abc import Mapping

import numpy as np

LAST = 9  # steps whose loss is averaged


def final_loss(history: Mapping[str, np.ndarray]) -> float:
    """Return the mean training loss over the last steps."""
    return float(history["train loss"][-LAST:].mean())
