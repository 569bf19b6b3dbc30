"""The ResNet basic block, v1: ReLU(F(x) + x).

He et al. 2015, *Deep Residual Learning for Image Recognition*, Fig. 2 and
eq. 1. Strides are 1 and the shortcut is the identity, so input and output have
the same shape.
"""

from collections.abc import Callable

import jax
from flax import nnx

STAGES = ("x", "conv1", "bn1", "relu1", "conv2", "bn2", "add", "out")
# Names of x as the input of the branch and as the input of the shortcut.
BRANCH, SHORTCUT = "x into the branch", "x into the shortcut"

# nnx.Module.perturb serves the same purpose, but outside of nnx.capture it warns and adds
# variables to the module, so an ordinary call would change the block.
Perturb = Callable[[str, jax.Array], jax.Array]


def unperturbed(name: str, value: jax.Array) -> jax.Array:
    """Return the value unchanged."""
    return value


class BasicBlock(nnx.Module):
    """conv3×3 → BatchNorm → ReLU → conv3×3 → BatchNorm → + x → ReLU.

    Computes `out = ReLU(F(x) + x)` with `F = bn2 ∘ conv2 ∘ ReLU ∘ bn1 ∘ conv1`.
    Convolutions and norms have NNX's defaults: bias on, "SAME" padding, fast variance.

    Args:
        features: number of channels C of input and output, ≥ 1.
        rngs: NNX's random number generators, which initialise the kernels.
        epsilon, momentum: settings of both norms; the defaults are NNX's.
    """

    def __init__(
        self, features: int, rngs: nnx.Rngs, *, epsilon: float = 1e-5, momentum: float = 0.99
    ):
        def conv3x3() -> nnx.Conv:
            return nnx.Conv(
                features, features, kernel_size=(3, 3), strides=1, padding="SAME", rngs=rngs
            )

        def batch_norm() -> nnx.BatchNorm:
            return nnx.BatchNorm(features, epsilon=epsilon, momentum=momentum, rngs=rngs)

        self.conv1 = conv3x3()
        self.bn1 = batch_norm()
        self.conv2 = conv3x3()
        self.bn2 = batch_norm()

    def stages(
        self, x: jax.Array, use_running_average: bool, perturb: Perturb = unperturbed
    ) -> dict[str, jax.Array]:
        """Run the forward pass and return every stage.

        Args:
            x: input `(H, W, C)` or `(N, H, W, C)`.
            use_running_average: False (train mode) normalises with the input's statistics and
                updates the running ones; True (eval mode) normalises with the running ones.
            perturb: called with the name and value of each stage before out; its result
                replaces the value. Also called for `BRANCH` and `SHORTCUT`.

        Returns:
            One array shaped like `x` for each name in `STAGES`, in dataflow order.
        """
        x = perturb("x", x)
        conv1 = perturb("conv1", self.conv1(perturb(BRANCH, x)))
        bn1 = perturb("bn1", self.bn1(conv1, use_running_average=use_running_average))
        relu1 = perturb("relu1", nnx.relu(bn1))
        conv2 = perturb("conv2", self.conv2(relu1))
        bn2 = perturb("bn2", self.bn2(conv2, use_running_average=use_running_average))
        add = perturb("add", bn2 + perturb(SHORTCUT, x))
        out = nnx.relu(add)
        return dict(zip(STAGES, (x, conv1, bn1, relu1, conv2, bn2, add, out), strict=True))

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        """Return the block's output: the last of `stages`."""
        return self.stages(x, use_running_average)["out"]
