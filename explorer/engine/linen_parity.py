"""The basic block in Flax Linen, run with a model's weights and compared with NNX.

Linen keeps no state in the module: parameters and `batch_stats` are arguments, and a
train-mode call returns the updated statistics if `mutable` contains their collection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from explorer.engine.forward import trace_model
from explorer.errors import InputError, check_type
from explorer.model.layers import BatchNormSettings
from explorer.model.variants import V1
from explorer.model.weights import Model


class LinenBlock(nn.Module):
    """conv3×3 → BatchNorm → ReLU → conv3×3 → BatchNorm → + x → ReLU."""

    features: int
    epsilon: float = 1e-5
    momentum: float = 0.99

    @nn.compact
    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        def batch_norm(name: str) -> nn.BatchNorm:
            return nn.BatchNorm(
                use_running_average, momentum=self.momentum, epsilon=self.epsilon, name=name
            )

        conv1 = nn.Conv(self.features, (3, 3), padding="SAME", name="conv1")(x)
        bn1 = batch_norm("bn1")(conv1)
        relu1 = nn.relu(bn1)
        conv2 = nn.Conv(self.features, (3, 3), padding="SAME", name="conv2")(relu1)
        bn2 = batch_norm("bn2")(conv2)
        add = bn2 + x
        return nn.relu(add)


@dataclass(frozen=True)
class LinenParity:
    """Linen's results, and their differences from NNX's.

    Attributes:
        out: Linen's output, shaped like x, float32.
        statistics: `batch_stats` after the call, `{"bn1": {"mean": (C,), "var": (C,)}, …}`.
        differences: largest |Linen − NNX| of `out` and of each statistic after the call.
    """

    out: np.ndarray
    statistics: Mapping[str, Mapping[str, np.ndarray]]
    differences: Mapping[str, float]


def linen_parity(
    model: Model, x: Any, *, use_running_average: bool = False, warmup_passes: float = 0
) -> LinenParity:
    """Run the Linen block with a model's weights, and compare it with NNX.

    Arguments are those of `trace_model`.

    Raises:
        InputError: the model is not a basic block, or `x` does not fit it.
    """
    if check_type("model", model, Model).spec.structure() != V1.structure():
        raise InputError(
            f"The Linen block is the basic block; this model is “{model.spec.title}”. "
            "Use the variant v1."
        )
    trace = trace_model(
        model, x, use_running_average=use_running_average, warmup_passes=warmup_passes
    )
    statistics = {
        name: {"mean": norm.mean_before, "var": norm.var_before}
        for name, norm in trace.norms.items()
    }
    variables = {"params": dict(model.parameters), "batch_stats": statistics}
    given = jnp.asarray(trace["x"])
    out, moved = jax.device_get(
        _apply(variables, given, trace.use_running_average, model.batch_norm)
    )
    differences = {"out": _largest(out, trace["out"])}
    for name, norm in trace.norms.items():
        differences[f"{name}.mean"] = _largest(moved[name]["mean"], norm.mean_after)
        differences[f"{name}.var"] = _largest(moved[name]["var"], norm.var_after)
    return LinenParity(out, moved, differences)


@partial(jax.jit, static_argnames=("use_running_average", "batch_norm"))
def _apply(
    variables: Any, x: jax.Array, use_running_average: bool, batch_norm: BatchNormSettings
) -> tuple[jax.Array, Any]:
    block = LinenBlock(x.shape[-1], batch_norm.epsilon, batch_norm.momentum)
    out, moved = block.apply(variables, x, use_running_average, mutable=["batch_stats"])
    return out, moved["batch_stats"]


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())
