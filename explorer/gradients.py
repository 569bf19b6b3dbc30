"""What returns to x, and by which path: the block's gradient, split at the shortcut.

For out = after(shortcut(x) + F(x)) and a cotangent c, the chain rule gives
∂⟨c, out⟩/∂x = J_shortcutᵀ g + J_Fᵀ g with g = J_afterᵀ c. In the basic block
g = c · 1[add > 0] and J_shortcut is the identity.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.errors import InputError, describe
from explorer.recipes import BRANCH, SHORTCUT, Recipe, RecipeBlock
from explorer.trace import Arrays, BlockTrace, initial_state, trace_block

Kind = Literal["ones", "random", "pixel", "error"]
RESIDUAL_PART, IDENTITY_PART = "residual part", "identity part"


@dataclass(frozen=True)
class GradientSplit:
    """Gradients of ⟨cotangent, out⟩. Every array is read-only float32.

    Attributes:
        trace: the forward pass that they belong to.
        cotangent: what was sent in at out, shaped like out.
        total: the gradient at x, `(H, W, C)`.
        identity: the part of it that returned through the shortcut; 0 without one.
        residual: the part that returned through the branch.
        stages: the gradient at every stage, from "x" (= total) to "out" (= cotangent).
    """

    trace: BlockTrace
    cotangent: np.ndarray
    total: np.ndarray
    identity: np.ndarray
    residual: np.ndarray
    stages: Mapping[str, np.ndarray]

    @cached_property
    def as_trace(self) -> BlockTrace:
        """The gradients in the places of the values, for what draws traces; with both parts."""
        parts = {RESIDUAL_PART: self.residual, IDENTITY_PART: self.identity}
        return replace(self.trace, stages=MappingProxyType({**self.stages, **parts}))


def split_gradient(
    seed: float,
    x: Any,
    features: float,
    *,
    cotangent: Any,
    variant: str | Recipe = "v1",
    use_running_average: bool = False,
    warmup_passes: float = 0,
) -> GradientSplit:
    """The gradient of ⟨cotangent, out⟩ at x, split by path, and at every stage.

    In train mode BatchNorm's batch statistics are differentiated through.

    Args:
        seed, x, features, variant, use_running_average, warmup_passes: as for `trace_block`.
        cotangent: real array shaped like out.

    Returns:
        A `GradientSplit`; identity + residual = total up to float32 rounding.

    Raises:
        InputError: an argument is outside what is said above.
    """
    trace = trace_block(
        seed,
        x,
        features,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
        variant=variant,
    )
    return split_trace(trace, cotangent)


def split_trace(trace: BlockTrace, cotangent: Any) -> GradientSplit:
    """`split_gradient` of a block that has been traced."""
    given = _check_cotangent(cotangent, trace["out"].shape)
    program = trace.recipe.program()
    parameters = initial_state(trace.seed, trace.recipe, trace.features)[0]
    running = {
        name: {"mean": norm.mean_before, "var": norm.var_before}
        for name, norm in trace.norms.items()
    }
    found = jax.device_get(
        _pull(program, parameters, running, trace["x"], given, trace.use_running_average)
    )
    for array in found.values():
        array.setflags(write=False)
    stages = {name: found[name] for name in trace.recipe.stages()}
    none = np.zeros_like(found["x"])
    none.setflags(write=False)
    return GradientSplit(
        trace=trace,
        cotangent=stages["out"],
        total=stages["x"],
        identity=found.get(SHORTCUT, none),
        residual=found[BRANCH],
        stages=MappingProxyType(stages),
    )


def cotangent_of(
    kind: Kind, trace: BlockTrace, pixel: tuple[int, int, int] | None = None, seed: int = 0
) -> np.ndarray:
    """A cotangent shaped like out.

    "ones": out's sum. "random": a standard normal, fixed by `seed`. "pixel": 1 at row,
    column, channel of out and 0 elsewhere. "error": out − x, the gradient of
    ½ ‖out − x‖².

    Raises:
        InputError: there is no such kind or pixel, or out and x differ in shape.
    """
    out = trace["out"]
    if kind == "ones":
        return np.ones_like(out)
    if kind == "random":
        return np.random.default_rng(seed).standard_normal(out.shape, np.float32)
    if kind == "pixel":
        if pixel is None or not all(0 <= at < n for at, n in zip(pixel, out.shape, strict=True)):
            raise InputError(
                f"pixel must lie within out's shape {out.shape} (row, column, channel from 0), "
                f"got {describe(pixel)}."
            )
        one = np.zeros_like(out)
        one[pixel] = 1
        return one
    if kind == "error":
        if out.shape != trace["x"].shape:
            raise InputError(
                f"out has shape {out.shape} and x {trace['x'].shape}, so there is no squared "
                "error between them; choose another cotangent."
            )
        return out - trace["x"]
    raise InputError(f"kind must be one of ones, random, pixel, error; got {describe(kind)}.")


def _check_cotangent(cotangent: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(cotangent)
    if array.dtype.kind not in "biuf" or array.shape != shape:
        raise InputError(
            f"cotangent must be a real array shaped like out, {shape}; got dtype "
            f"{describe(array.dtype.name)} and shape {array.shape}."
        )
    with np.errstate(over="ignore"):
        cotangent32 = array.astype(np.float32)
    if (np.isinf(cotangent32) & np.isfinite(array)).any():
        raise InputError("cotangent must stay within float32's range of ±3.4e38; scale it down.")
    return cotangent32


@partial(jax.jit, static_argnames=("recipe", "use_running_average"))
def _pull(
    recipe: Recipe,
    parameters: Arrays,
    running: Arrays,
    x: jax.Array,
    cotangent: jax.Array,
    use_running_average: bool,
) -> dict[str, jax.Array]:
    """The cotangent pulled back to every stage, and to x as either path takes it."""

    def out_of(nudges: dict[str, jax.Array]) -> jax.Array:
        block = RecipeBlock(recipe, x.shape[-1], nnx.Rngs(0))
        nnx.update(block, parameters, running)
        stages = block.stages(
            x, use_running_average, lambda name, value: value + nudges.get(name, 0)
        )
        return stages["out"]

    zeros = _zeros(recipe, x, use_running_average)
    # One nudge a stage, all zero: the gradient by a nudge is the gradient at its stage.
    pulled = jax.vjp(out_of, zeros)[1](cotangent)[0]
    return {**pulled, "out": cotangent}


def _zeros(recipe: Recipe, x: jax.Array, use_running_average: bool) -> dict[str, jax.Array]:
    """A zero for every stage that is nudged."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, value: jax.Array) -> jax.Array:
        shapes[name] = value.shape
        return value

    def look(given: jax.Array) -> jax.Array:
        block = RecipeBlock(recipe, given.shape[-1], nnx.Rngs(0))
        return block.stages(given, use_running_average, note)["out"]

    jax.eval_shape(look, x)
    return {name: jnp.zeros(shape) for name, shape in shapes.items()}
