"""Stacks as loops over hand-written NNX blocks, for the tests of the engine."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from tests.helpers import noise
from tests.sketch import Sketch

SHAPE, SEED, DEPTH = (7, 6, 4), 5, 6
X = noise(SHAPE, 1)
Step = Callable[[dict[str, jax.Array]], jax.Array]


def residual(stages: dict[str, jax.Array]) -> jax.Array:
    """Return the output of a residual block."""
    return stages["out"]


def without_shortcut(stages: dict[str, jax.Array]) -> jax.Array:
    """Return the output of the same block without its shortcut."""
    return jax.nn.relu(stages["bn2"])


STACKS = [("v1", residual), ("no_skip", without_shortcut)]


def loop(x: Any, seeds: list[int], step: Step) -> list[jax.Array]:
    """Return every block's input and the end, with hand-written NNX blocks of these seeds."""
    found = [jnp.asarray(x)]
    for seed in seeds:
        found.append(step(Sketch(x.shape[-1], nnx.Rngs(seed)).run(found[-1])))
    return found


def gradient(h: jax.Array, seeds: list[int], step: Step, cotangent: np.ndarray) -> np.ndarray:
    """Return the gradient at h of ⟨cotangent, end of the stack⟩, flat."""
    return np.asarray(jax.grad(lambda x: jnp.vdot(cotangent, loop(x, seeds, step)[-1]))(h)).ravel()
