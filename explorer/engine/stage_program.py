"""The compiled program that runs a block and returns every stage."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from explorer.model.weights import Arrays, Model, Structure, split_state

# stages after x by name, and the statistics of every BatchNorm by name
Found = tuple[dict[str, jax.Array], dict[str, jax.Array]]

WIDE = 64  # channels
# XLA's CPU compiler calls the library YNN for convolutions, which runs those of 64 channels on one
# thread. Without it XLA calls Eigen, which uses all. YNN stays for sums over pixels. Other
# compilers ignore the option.
_WITH_EIGEN = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}


def run_model(model: Model, running: Arrays, x: Any, use_running_average: bool) -> Found:
    """Return the stages after x, and the statistics of every BatchNorm.

    Statistics are `(4, C)`: the batch's mean and variance, and the running ones after the call.
    Blocks of at least `WIDE` channels run with faster convolutions in eval mode, whose values
    may differ in the last bits. In train mode the bits are those of `resnet_basic_forward`.

    Args:
        model: the model.
        running: the running statistics that it starts with.
        x: its input.
        use_running_average: True is eval mode.
    """
    run = _run_wide if compiler_options(model, use_running_average) else run_stages
    found: Found = run(model.structure, model.parameters, running, x, use_running_average)
    return found


def compiler_options(model: Model, use_running_average: bool) -> Mapping[str, str]:
    """Return the options of XLA with which `run_model` runs the model; most have none."""
    is_wide = max(model.spec.widths(model.features).values()) >= WIDE
    return _WITH_EIGEN if is_wide and use_running_average else {}


def _stages(
    structure: Structure,
    parameters: Arrays,
    running: Arrays,
    x: jax.Array,
    use_running_average: bool,
) -> Found:
    block = structure.block(parameters, running)
    stages = block.stages(x, use_running_average)
    after, inputs = split_state(block)[1], structure.spec.inputs()
    # One array per norm: for a small block every additional output costs time.
    statistics = {
        name: jnp.stack([*_moments(stages[inputs[name]]), after[name]["mean"], after[name]["var"]])
        for name in structure.spec.norms()
    }
    del stages["x"]  # the caller has it, and XLA would copy it to an output
    return stages, statistics


_jit = partial(jax.jit, static_argnames=("structure", "use_running_average"))
run_stages = _jit(_stages)
_run_wide = _jit(_stages, compiler_options=_WITH_EIGEN)


def _moments(v: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return mean and variance of every channel, as NNX's BatchNorm computes them."""
    axes = tuple(range(v.ndim - 1))
    mean = jnp.mean(v, axis=axes)
    return mean, jnp.maximum(0, jnp.mean(v * v, axis=axes) - mean * mean)
