"""The block in hand-written NNX, run eagerly and independent of the explorer."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


class Sketch(nnx.Module):
    def __init__(self, features: int, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(features, features, (3, 3), padding="SAME", rngs=rngs)
        self.bn1 = nnx.BatchNorm(features, rngs=rngs)
        self.conv2 = nnx.Conv(features, features, (3, 3), padding="SAME", rngs=rngs)
        self.bn2 = nnx.BatchNorm(features, rngs=rngs)

    def run(
        self, x: np.ndarray | jax.Array, *, use_running_average: bool = False
    ) -> dict[str, jax.Array]:
        stages = {"x": jnp.asarray(x)}
        stages["conv1"] = self.conv1(stages["x"])
        stages["bn1"] = self.bn1(stages["conv1"], use_running_average=use_running_average)
        stages["relu1"] = jax.nn.relu(stages["bn1"])
        stages["conv2"] = self.conv2(stages["relu1"])
        stages["bn2"] = self.bn2(stages["conv2"], use_running_average=use_running_average)
        stages["add"] = stages["bn2"] + stages["x"]
        stages["out"] = jax.nn.relu(stages["add"])
        return stages
