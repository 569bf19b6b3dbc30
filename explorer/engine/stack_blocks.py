"""The programs that run a stack block by block.

Each is compiled for one block and called from Python: in a loop of XLA, gradients of convolutions
take several times as long on a CPU, and between two blocks a caller can show progress or stop.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from explorer.engine.progress import Progress
from explorer.engine.stack import Stack
from explorer.errors import InputError
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.spec import BlockSpec
from explorer.model.weights import Structure

REPORT_EVERY = 16  # blocks
MAX_VALUES = 2**25  # of all blocks' inputs, in every run and copy

Weights = tuple[Any, Any]  # parameters and statistics


def check_size(values: int) -> None:
    """Raise InputError if a stack would store more than `MAX_VALUES` values."""
    if values > MAX_VALUES:
        raise InputError(
            f"This stack would store {values:,} values; the limit is {MAX_VALUES:,}. Choose a "
            "smaller input, fewer blocks or fewer runs."
        )


def weights_of(stack: Stack, block: int, run: int = 0) -> Weights:
    """Return the weights of one block in one run."""
    found: Weights = jax.tree.map(lambda array: array[block * stack.runs + run], stack.rows)
    return found


def report_blocks(report: Progress, done: int, total: int, arrays: Any) -> None:
    """Report every 16 blocks and at the end, when the arrays are there."""
    if done % REPORT_EVERY == 0 or done == total:
        jax.block_until_ready(arrays)  # type: ignore[no-untyped-call]
        report(done, total)


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def run_block(
    structure: Structure, weights: Weights, h: jax.Array, use_running_average: bool
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Send each of `h` `(copies, *x.shape)` through a block; the statistics are the first's."""
    stages = jax.vmap(lambda x: structure.block(*weights).stages(x, use_running_average))(h)
    first = {name: value[0] for name, value in stages.items()}
    return stages["out"], _numbers(structure.spec, first)


@partial(jax.jit, static_argnames=("structure", "use_running_average"))
def outputs_of(
    structure: Structure, weights: Weights, h: jax.Array, use_running_average: bool
) -> jax.Array:
    """Send each of `h` `(copies, *x.shape)` through a block."""
    return jax.vmap(lambda x: structure.block(*weights).stages(x, use_running_average)["out"])(h)


def _numbers(spec: BlockSpec, stages: dict[str, jax.Array]) -> dict[str, jax.Array]:
    out = stages["out"]
    pixels = tuple(range(out.ndim - 1))
    numbers = {
        "std": jnp.std(out),
        "squared mean": jnp.mean(jnp.mean(out, axis=pixels) ** 2),
    }
    if spec.identity:
        branch, identity = jnp.var(stages[spec.residual]), jnp.var(stages[spec.identity])
        numbers["branch share"] = branch / (branch + identity)
    if spec.last_relu_input:
        numbers["zeros"] = jnp.mean(jnp.where(jnp.isnan(out), out, out == 0))
    return numbers


def pull_back(
    structure: Structure, weights: Weights, h: jax.Array, use_running_average: bool
) -> Any:
    """Return the function from a gradient at a block's output to those at its input, by path."""

    def out_of(perturbations: dict[str, jax.Array]) -> jax.Array:
        def perturb(name: str, value: jax.Array) -> jax.Array:
            return value + perturbations[name] if name in perturbations else value

        return structure.block(*weights).stages(h, use_running_average, perturb)["out"]

    zeros = {BRANCH: jnp.zeros_like(h), SHORTCUT: jnp.zeros_like(h)}
    pull = jax.vjp(out_of, zeros)[1]
    return lambda g: pull(g)[0]


def stacked(numbers: list[list[dict[str, jax.Array]]]) -> dict[str, np.ndarray]:
    """Return the numbers of blocks and runs, `numbers[block][run]`, as arrays `(runs, depth)`."""
    found = jax.device_get(numbers)
    names = found[0][0]
    return {name: np.array([[run[name] for run in block] for block in found]).T for name in names}
