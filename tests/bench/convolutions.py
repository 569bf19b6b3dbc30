"""Other ways to compute the block's two convolutions, each compared with that of the block."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from explorer.engine.forward import on_host
from explorer.server.memory import reuse_freed_memory
from tests.bench.engine import SHAPES
from tests.bench.table import Row, compared, paired

Convolution = Callable[[jax.Array, jax.Array], jax.Array]
ROUNDS = {32: 200, 64: 60, 128: 16, 224: 8}  # a few seconds each, by height

# Options of XLA.
EIGEN: dict[str, bool | str] = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"
}
OPTIONS: dict[str, dict[str, bool | str]] = {
    "Eigen in place of YNN": EIGEN,
    "Eigen on one thread": EIGEN | {"xla_cpu_multi_thread_eigen": False},
    "xla_cpu_use_onednn": {"xla_cpu_use_onednn": True},
}


def as_in_the_block(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return XLA's convolution; x is `(H, W, C)`, the kernel `(3, 3, C, C)`."""
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x[None], kernel, (1, 1), "SAME", dimension_numbers=numbers)[0]


def channels_first(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return it with the channels before rows and columns, as PyTorch's default has them."""
    numbers = ("NCHW", "HWIO", "NCHW")
    first = jnp.moveaxis(x, -1, 0)[None]
    found = lax.conv_general_dilated(first, kernel, (1, 1), "SAME", dimension_numbers=numbers)
    return jnp.moveaxis(found[0], 0, -1)


def shifted(x: jax.Array) -> list[jax.Array]:
    """Return what each of the kernel's nine weights is multiplied with."""
    height, width, _ = x.shape
    padded = jnp.pad(x, ((1, 1), (1, 1), (0, 0)))
    return [padded[row : row + height, col : col + width] for row in range(3) for col in range(3)]


def one_product(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return it as one matrix product of all patches, `(H·W, 9·C) @ (9·C, C)`."""
    return jnp.concatenate(shifted(x), axis=-1) @ kernel.reshape(-1, kernel.shape[-1])


def nine_products(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return it as the sum of nine matrix products, `(H·W, C) @ (C, C)`."""
    weights = kernel.reshape(9, *kernel.shape[2:])
    return sum((part @ each for part, each in zip(shifted(x), weights, strict=True)), jnp.zeros(()))


def two_halves(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return it in two halves of the rows, which two threads could compute."""
    middle = x.shape[0] // 2
    upper = as_in_the_block(x[: middle + 1], kernel)[:middle]
    return jnp.concatenate([upper, as_in_the_block(x[middle - 1 :], kernel)[1:]])


WAYS: dict[str, Convolution] = {
    "one matrix product": one_product,
    "nine matrix products": nine_products,
    "channels first": channels_first,
    "two halves of the rows": two_halves,
}


def rows() -> list[Row]:
    """Measure the rows of the table."""
    reuse_freed_memory()  # as on the server
    return [row for height, channels in SHAPES for row in _shape(height, channels)]


def _shape(height: int, channels: int) -> list[Row]:
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((height, height, channels), np.float32))
    kernels = jnp.asarray(
        rng.standard_normal((2, 3, 3, channels, channels), np.float32) / (3 * channels**0.5)
    )

    def twice(convolution: Convolution, x: jax.Array, kernels: jax.Array) -> jax.Array:
        return convolution(convolution(x, kernels[0]), kernels[1])

    block = jax.jit(partial(twice, as_in_the_block))
    ways = {name: jax.jit(partial(twice, way)) for name, way in WAYS.items()} | {
        name: jax.jit(partial(twice, as_in_the_block), compiler_options=options)
        for name, options in OPTIONS.items()
    }
    call = jax.jit(lambda x, kernels: x + kernels[0, 0, 0, 0, 0])
    times = paired(
        {
            name: lambda way=way: on_host(way(x, kernels))  # type: ignore[misc]
            for name, way in {"block": block, "call": call, **ways}.items()
        },
        ROUNDS[height],
    )
    expected = np.asarray(block(x, kernels))
    program = block.lower(x, kernels).compile().as_text()
    name = f"{height}×{height}×{channels}"
    what = f"{name}: an addition in place of the convolutions: the call and the transfer"
    found = [compared(what, "ms", "as in the block", times["call"], times["block"])]
    for title, way in ways.items():
        values = np.asarray(way(x, kernels))
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4)
        bits = "the same bits" if np.array_equal(values, expected) else "other last bits"
        if way.lower(x, kernels).compile().as_text() == program:
            bits = "the same program"
        what = f"{name}: convolutions, {title} ({bits})"
        found.append(compared(what, "ms", "as in the block", times[title], times["block"]))
    return found
