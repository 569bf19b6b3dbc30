"""The basic block in Flax Linen, run with the weights of a traced NNX block.

Linen keeps no state in the module: parameters and `batch_stats` go in, and what a
train-mode call moves comes back, if `mutable` allows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from explorer.errors import InputError
from explorer.trace import BlockTrace
from explorer.variants import V1


class LinenBlock(nn.Module):
    """conv3×3 → BatchNorm → ReLU → conv3×3 → BatchNorm → + x → ReLU."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        conv1 = nn.Conv(self.features, (3, 3), padding="SAME", name="conv1")(x)
        bn1 = nn.BatchNorm(use_running_average, name="bn1")(conv1)
        relu1 = nn.relu(bn1)
        conv2 = nn.Conv(self.features, (3, 3), padding="SAME", name="conv2")(relu1)
        bn2 = nn.BatchNorm(use_running_average, name="bn2")(conv2)
        add = bn2 + x
        return nn.relu(add)


@dataclass(frozen=True)
class LinenTwin:
    """What Linen computed, beside the trace.

    Attributes:
        out: Linen's output, `(H, W, C)` float32.
        statistics: `batch_stats` after the call, `{"bn1": {"mean": (C,), "var": (C,)}, …}`.
        differences: largest |Linen − NNX| of `out` and of each statistic after the call.
    """

    out: np.ndarray
    statistics: Mapping[str, Mapping[str, np.ndarray]]
    differences: Mapping[str, float]


def linen_twin(trace: BlockTrace) -> LinenTwin:
    """Runs the Linen block on the trace's input, with its weights, statistics and mode.

    Raises:
        InputError: the trace is not one of the basic block.
    """
    if trace.recipe.program() != V1.program():
        raise InputError(
            f"The Linen twin is of the basic block; the trace is of “{trace.recipe.title}”. "
            "Trace the variant v1."
        )
    variables: dict[str, dict[str, Any]] = {"params": {}, "batch_stats": {}}
    for conv, kernel in trace.kernels.items():
        variables["params"][conv] = {"kernel": kernel, "bias": trace.biases[conv]}
    for name, norm in trace.norms.items():
        variables["params"][name] = {"scale": norm.gamma, "bias": norm.beta}
        variables["batch_stats"][name] = {"mean": norm.mean_before, "var": norm.var_before}
    x = jnp.asarray(trace["x"])
    out, statistics = jax.device_get(_apply(variables, x, trace.use_running_average))
    differences = {"out": _largest(out, trace["out"])}
    for name, norm in trace.norms.items():
        differences[f"{name}.mean"] = _largest(statistics[name]["mean"], norm.mean_after)
        differences[f"{name}.var"] = _largest(statistics[name]["var"], norm.var_after)
    return LinenTwin(out, statistics, differences)


@partial(jax.jit, static_argnames="use_running_average")
def _apply(variables: Any, x: jax.Array, use_running_average: bool) -> tuple[jax.Array, Any]:
    block = LinenBlock(x.shape[-1])
    out, moved = block.apply(variables, x, use_running_average, mutable=["batch_stats"])
    return out, moved["batch_stats"]


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())
