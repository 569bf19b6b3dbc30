"""The NNX module that runs a block spec."""

import jax
from flax import nnx

from explorer.errors import InputError
from explorer.model.block import BRANCH, SHORTCUT, BasicBlock, Perturb, unperturbed
from explorer.model.layers import DEFAULT_BATCH_NORM, BatchNormSettings
from explorer.model.spec import BlockSpec, Layers
from explorer.model.variants import V1


class SpecBlock(nnx.Module):
    """The block of a spec.

    A kernel whose name and shape match a kernel of the basic block is equal to the one that
    the basic block of the same seed has. All other weights are drawn after the basic block's.

    Args:
        spec: the layers of the block.
        features: channels of the input.
        rngs: NNX's random number generators.
        batch_norm: ε and momentum of all BatchNorms.
    """

    def __init__(
        self,
        spec: BlockSpec,
        features: int,
        rngs: nnx.Rngs,
        batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM,
    ):
        self.spec = spec
        basic = BasicBlock(features, rngs)
        widths, layers = spec.widths(features), spec.layers()
        for name, source in spec.inputs().items():
            module = layers[name].build(widths[source], features, rngs, batch_norm)
            if module is None:
                continue
            setattr(self, name, module)
            same_name = getattr(basic, name, None)
            if isinstance(module, nnx.Conv) and isinstance(same_name, nnx.Conv):
                _copy_kernel(same_name, module)

    def stages(
        self, x: jax.Array, use_running_average: bool, perturb: Perturb = unperturbed
    ) -> dict[str, jax.Array]:
        """Run the forward pass and return every stage, in dataflow order, from "x" to "out".

        Args:
            x: input `(H, W, C)` or `(N, H, W, C)`.
            use_running_average: False is train mode, True is eval mode.
            perturb: as for `BasicBlock.stages`.

        Raises:
            InputError: F(x) and the shortcut have shapes that cannot be added.
        """
        stages = {"x": perturb("x", x)}

        def run(layers: Layers, value: jax.Array) -> jax.Array:
            for name, layer in layers:
                module = getattr(self, name, None)
                value = perturb(name, layer.apply(module, value, use_running_average))
                stages[name] = value
            return value

        total = run(self.spec.branch, perturb(BRANCH, stages["x"]))
        if self.spec.shortcut is not None:
            identity = run(self.spec.shortcut, perturb(SHORTCUT, stages["x"]))
            total = stages["add"] = perturb("add", _add(total, identity))
        stages["out"] = run(self.spec.after, total)
        return stages

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        """Return the block's output: the last of `stages`."""
        return self.stages(x, use_running_average)["out"]


def build_block(
    spec: BlockSpec, features: int, rngs: nnx.Rngs, batch_norm: BatchNormSettings
) -> BasicBlock | SpecBlock:
    """Return the block of a spec; for v1's structure, the literal `BasicBlock`."""
    if spec.structure() == V1.structure() and spec.constants() == V1.constants():
        return BasicBlock(features, rngs, epsilon=batch_norm.epsilon, momentum=batch_norm.momentum)
    return SpecBlock(spec, features, rngs, batch_norm)


def _copy_kernel(source: nnx.Conv, target: nnx.Conv) -> None:
    if source.kernel.shape == target.kernel.shape:
        target.kernel[...] = source.kernel[...]


def _add(residual: jax.Array, identity: jax.Array) -> jax.Array:
    """Return F(x) + shortcut, or raise InputError where their shapes differ."""
    shapes = f"F(x) has shape {residual.shape} and the shortcut {identity.shape}"
    try:
        total = residual + identity
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The addition does not run: {shapes}, and a sum needs equal shapes. JAX says: {error}"
        ) from error
    if residual.shape != identity.shape:
        raise InputError(
            f"The addition does not run: {shapes}, and + would "
            "silently broadcast the single channel over all; a sum needs equal shapes."
        )
    return total
