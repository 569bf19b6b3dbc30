"""Pooling layers of block specs."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from explorer.errors import InputError, check_integer
from explorer.model.layers import Stateless, check_integers


@dataclass(frozen=True)
class MaxPool(Stateless):
    """The largest value of every size×size window, as torch's `MaxPool2d(size, stride, size // 2)`.

    Windows are centred on every `stride`-th pixel. Outside the input they hold −∞, so that a value
    there is never the largest.
    """

    size: int = 3
    stride: int = 2

    def __post_init__(self) -> None:
        check_integers(self, 1, "size", "stride")
        if self.size % 2 == 0:
            raise InputError(f"size must be odd, so that a window has a centre; got {self.size}.")

    @property
    def label(self) -> str:
        step = f" /{self.stride}" if self.stride > 1 else ""
        return f"{self.size}×{self.size} max pool{step}"

    @property
    def radius(self) -> int:
        return self.size // 2

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        window, pads = (self.size, self.size), (self.radius, self.radius)
        strides = self.stride, self.stride
        found = nnx.max_pool(x, window, strides, (pads, pads))  # type: ignore[no-untyped-call]
        return jnp.asarray(found)


@dataclass(frozen=True)
class AvgPool(Stateless):
    """The mean of every size×size tile, as torch's `AvgPool2d(size, ceil_mode=True)`.

    Where the input ends within a tile, the mean is that of the pixels that exist.
    """

    size: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_integer("size", self.size, 1, None))

    @property
    def stride(self) -> int:
        return self.size

    @property
    def label(self) -> str:
        return f"{self.size}×{self.size} average pool /{self.size}"

    @property
    def reach(self) -> tuple[int, int]:
        """A tile extends from its first pixel downwards only."""
        return 0, self.size - 1

    def apply(self, module: Any, x: jax.Array, use_running_average: bool) -> jax.Array:
        tile = (self.size, self.size)
        pads = [(0, -side % self.size) for side in x.shape[-3:-1]]
        found = nnx.avg_pool(x, tile, tile, pads, False)  # type: ignore[no-untyped-call]
        return jnp.asarray(found)
