"""One step of training a network: the loss, its gradient, and the optimiser's update."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax

from explorer.model.block import Perturb
from explorer.model.network import NetworkSpec, Parts, split_parts

Optimiser = Literal["sgd", "adam"]
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
_COMPILER_OPTIONS = {
    # XLA's CPU compiler removes optimisation barriers in this pass, before it fuses.
    "xla_disable_hlo_passes": "cse_barrier_expander",
    # A step is as fast as at the default level, and compiled in four fifths of the time.
    "xla_backend_optimization_level": 1,
}


def transformation(optimiser: Optimiser) -> optax.GradientTransformation:
    """Return the optimiser's update for a learning rate of 1.

    SGD with momentum 0.9, or Adam; both add weight decay 1e-4 to the gradient.
    """
    rule = optax.trace(decay=MOMENTUM) if optimiser == "sgd" else optax.scale_by_adam()
    return optax.chain(optax.add_decayed_weights(WEIGHT_DECAY, mask=_trained), rule)


@partial(jax.jit, static_argnames="optimiser")
def initial_memory(optimiser: Optimiser, parameters: Parts) -> Any:
    """Return the optimiser's state before the first step."""
    return transformation(optimiser).init(parameters)


def loss_and_numbers(
    spec: NetworkSpec,
    parameters: Parts,
    statistics: Parts,
    images: jax.Array,
    labels: jax.Array,
    kept: jax.Array | None = None,
) -> tuple[jax.Array, tuple[Parts, dict[str, jax.Array]]]:
    """Return the mean cross-entropy in train mode, the new running statistics, and numbers.

    Args:
        spec: the network's layers.
        parameters, statistics: its weights.
        images: `(N, H, W, channels)`.
        labels: `(N,)` classes.
        kept: `(blocks,)`, 1 for a block that runs and 0 for one whose F(x) is dropped.

    Returns:
        The loss; the statistics after the pass; and "accuracy" `()`, and "branch ratio"
        `(blocks,)`, ‖F(x)‖ / ‖x‖ of every block over the batch.
    """
    module = spec.network(parameters, statistics)
    for _, layer in nnx.iter_graph(module):
        if isinstance(layer, nnx.Conv):
            layer.conv_general_dilated = _convolution
    stages, logits = module.stages(images, False, _dropped(spec, kept))
    loss = jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))
    ratios = [_norm(each[spec.block.residual]) / _norm(each["x"]) for each in stages.values()]
    numbers = {
        "accuracy": jnp.mean(jnp.argmax(logits, axis=-1) == labels),
        "branch ratio": jnp.stack(ratios),
    }
    return loss, (split_parts(module)[1], numbers)


@partial(
    jax.jit,
    static_argnames=("spec", "optimiser"),
    donate_argnames="state",
    compiler_options=_COMPILER_OPTIONS,
)
def training_step(
    spec: NetworkSpec,
    optimiser: Optimiser,
    state: tuple[Parts, Parts, Any],
    learning_rate: float,
    images: jax.Array,
    labels: jax.Array,
    kept: jax.Array | None,
) -> tuple[tuple[Parts, Parts, Any], dict[str, jax.Array]]:
    """Return the state after one step, and the numbers of the pass before it.

    `state` are parameters, statistics and the optimiser's state; the other arguments are those of
    `loss_and_numbers`. The numbers are also "loss" `()` and "gradient norm" `(blocks,)`.
    """
    parameters, statistics, memory = state
    (loss, (statistics, numbers)), gradient = jax.value_and_grad(
        lambda own: loss_and_numbers(spec, own, statistics, images, labels, kept), has_aux=True
    )(parameters)
    gradient = jax.tree.map(jnp.multiply, gradient, _trained(gradient))
    norms = jnp.stack([optax.tree.norm(gradient[name]) for name in spec.names])
    updates, memory = transformation(optimiser).update(gradient, memory, parameters)
    updates = jax.tree.map(lambda update: -learning_rate * update, updates)
    parameters = optax.apply_updates(parameters, updates)
    return (parameters, statistics, memory), numbers | {"loss": loss, "gradient norm": norms}


def _trained(parameters: Parts) -> Any:
    """Return the tree of whether a parameter is trained; the factors of `Scale` are constants."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key != "factor", parameters)


def _convolution(inputs: jax.Array, kernel: jax.Array, *rest: Any, **settings: Any) -> jax.Array:
    """Convolve a stored input.

    The gradient with respect to the kernel transposes the input. Without the barrier XLA fuses
    that with the norm and the ReLU before it, and computes them again with large strides.
    """
    stored: jax.Array = lax.optimization_barrier(inputs)  # type: ignore[no-untyped-call]
    return lax.conv_general_dilated(stored, kernel, *rest, **settings)


def _norm(array: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum(array * array))


def _dropped(spec: NetworkSpec, kept: jax.Array | None) -> Mapping[str, Perturb] | None:
    """Return the change that multiplies F(x) of every block by 0 or 1."""
    if kept is None:
        return None

    def scale(factor: jax.Array) -> Perturb:
        return lambda name, value: value * factor if name == spec.block.residual else value

    return {name: scale(kept[index]) for index, name in enumerate(spec.names)}
