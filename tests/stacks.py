"""Stacks as loops over hand-written NNX blocks, for the tests of the engine."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from tests.helpers import SMALL, noise
from tests.sketch import Sketch

SHAPE, SEED, DEPTH = SMALL, 5, 6
X = noise(SHAPE, 1)
Step = Callable[[dict[str, jax.Array]], jax.Array]


def residual(stages: dict[str, jax.Array]) -> jax.Array:
    """Return the output of a residual block."""
    return stages["out"]


def without_shortcut(stages: dict[str, jax.Array]) -> jax.Array:
    """Return the output of the same block without its shortcut."""
    return jax.nn.relu(stages["bn2"])


STACKS = [("v1", residual), ("no_skip", without_shortcut)]


@nnx.jit
def run(block: Sketch, x: jax.Array) -> dict[str, jax.Array]:
    """Return the stages of a plain NNX block."""
    return block.run(x)


def loop(x: Any, seeds: list[int], step: Step) -> list[jax.Array]:
    """Return every block's input and the end, with hand-written NNX blocks of these seeds."""
    found = [jnp.asarray(x)]
    for seed in seeds:
        found.append(step(run(Sketch(x.shape[-1], nnx.Rngs(seed)), found[-1])))
    return found


def gradients(
    path: list[jax.Array], seeds: list[int], step: Step, cotangent: np.ndarray
) -> list[np.ndarray]:
    """Return the gradient of ⟨cotangent, end of the stack⟩ at every block's input, flat."""

    @jax.jit
    def pull_back(state: Any, x: jax.Array, upper: jax.Array) -> jax.Array:
        _, vjp = jax.vjp(lambda given: step(nnx.merge(graph, state, copy=True).run(given)), x)
        (lower,) = vjp(upper)
        return lower

    found, upper = [], jnp.asarray(cotangent)
    for x, seed in reversed(list(zip(path[:-1], seeds, strict=True))):
        graph, state = nnx.split(Sketch(x.shape[-1], nnx.Rngs(seed)))
        upper = pull_back(state, x, upper)
        found.append(np.asarray(upper).ravel())
    return found[::-1]
