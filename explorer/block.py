"""The ResNet basic block, v1: ReLU(F(x) + x).

He et al. 2015, *Deep Residual Learning for Image Recognition*, Fig. 2 and
eq. 1. Strides are 1 and the shortcut is the identity, so input and output have
the same shape.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.errors import InputError, check_whole_number, describe

STAGES = ("x", "conv1", "bn1", "relu1", "conv2", "bn2", "add", "out")
MAX_SEED = 2**32 - 1


class BasicBlock(nnx.Module):
    """conv3×3 → BatchNorm → ReLU → conv3×3 → BatchNorm → + x → ReLU.

    Computes `out = ReLU(F(x) + x)` with `F = bn2 ∘ conv2 ∘ ReLU ∘ bn1 ∘ conv1`.
    Convolutions and norms keep NNX's defaults: bias on, "SAME" padding,
    ε = 1e-5, momentum 0.99, fast variance.

    Args:
        features: number of channels C of input and output, ≥ 1.
        rngs: NNX's random streams; they fix the kernels.
    """

    def __init__(self, features: int, rngs: nnx.Rngs):
        def conv3x3() -> nnx.Conv:
            return nnx.Conv(
                features, features, kernel_size=(3, 3), strides=1, padding="SAME", rngs=rngs
            )

        self.conv1 = conv3x3()
        self.bn1 = nnx.BatchNorm(features, rngs=rngs)
        self.conv2 = conv3x3()
        self.bn2 = nnx.BatchNorm(features, rngs=rngs)

    def stages(self, x: jax.Array, use_running_average: bool) -> dict[str, jax.Array]:
        """The forward pass, stage by stage.

        Args:
            x: input `(H, W, C)`; a leading batch axis also works.
            use_running_average: False normalises by this input's statistics and
                moves the running ones (train mode), True uses the running ones.

        Returns:
            One array shaped like `x` for each name in `STAGES`, in dataflow order.
        """
        conv1 = self.conv1(x)
        bn1 = self.bn1(conv1, use_running_average=use_running_average)
        relu1 = nnx.relu(bn1)
        conv2 = self.conv2(relu1)
        bn2 = self.bn2(conv2, use_running_average=use_running_average)
        add = bn2 + x
        out = nnx.relu(add)
        return dict(zip(STAGES, (x, conv1, bn1, relu1, conv2, bn2, add, out), strict=True))

    def __call__(self, x: jax.Array, use_running_average: bool) -> jax.Array:
        """The block's output: the last of `stages`."""
        return self.stages(x, use_running_average)["out"]


def resnet_basic_forward(seed: float, x: Any, features: float) -> jax.Array:
    """Runs a fresh basic block once in train mode and flattens its output.

    Args:
        seed: whole number 0 … 2³²−1, fixes the weights; `3.0` counts as 3.
        x: real array `(H, W, C)` with C equal to `features`.
        features: whole number ≥ 1.

    Returns:
        float32 array of length H·W·C, row-major over `(H, W, C)`.

    Raises:
        InputError: an argument is outside what is said above.
    """
    width = check_features(features)
    block = BasicBlock(width, nnx.Rngs(check_seed(seed)))
    return block(jnp.asarray(check_input(x, width)), use_running_average=False).reshape(-1)


def check_seed(seed: Any) -> int:
    """`seed` as an int, or InputError unless it is whole and in 0 … 2³²−1."""
    return check_whole_number("seed", seed, 0, MAX_SEED)


def check_features(features: Any) -> int:
    """`features` as an int, or InputError unless it is whole and ≥ 1."""
    return check_whole_number("features", features, 1, None)


def check_input(x: Any, features: int) -> np.ndarray:
    """`x` as a float32 array `(H, W, features)`, or InputError.

    The array is a copy only where the type has to change; nothing writes to it.
    """
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(
            f"x must be one array (H, W, C), got {describe(x)} whose rows differ in length."
        ) from None
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"x must hold real numbers, got dtype {describe(array.dtype.name)}; "
            "convert it to float32 first."
        )
    if array.ndim != 3:
        raise InputError(
            f"x must have 3 axes (H, W, C), got {array.ndim} with shape {array.shape}; "
            "pass one image, channels last."
        )
    if 0 in array.shape:
        raise InputError(f"x must have no empty axis, got shape {array.shape}.")
    channels = array.shape[2]
    if channels != features:
        raise InputError(
            f"x has {channels} channels but features is {features}: the identity shortcut adds x "
            "to F(x), so the two must be equal; unequal channels would need a 1×1 projection on "
            "the skip."
        )
    if array.dtype == np.float32:
        return array
    with np.errstate(over="ignore"):
        x32 = array.astype(np.float32)
    overflowed = np.isinf(x32) & np.isfinite(array)
    if overflowed.any():
        raise InputError(
            f"x must stay within float32's range of ±3.4e38, got {array[overflowed][0]:.3g}; "
            "scale it down."
        )
    return x32
