"""The gradient at x, split by path: through the shortcut and through the branch.

For out = after(shortcut(x) + F(x)) and a cotangent c, the chain rule gives
∂⟨c, out⟩/∂x = J_shortcutᵀ g + J_Fᵀ g with g = J_afterᵀ c. In the basic block
g = c · 1[add > 0] and J_shortcut is the identity.
"""

from functools import partial
from types import MappingProxyType
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from explorer.engine.forward import trace_block
from explorer.errors import (
    InputError,
    check_array,
    check_choice,
    check_integer,
    check_type,
    describe,
)
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.block import BRANCH, SHORTCUT
from explorer.model.spec import BlockSpec
from explorer.model.weights import Arrays, Model, Structure
from explorer.records import BlockTrace, CotangentKind, GradientSplit, PathGradient

_PATHS = BRANCH, SHORTCUT


def split_gradient(
    seed: float,
    x: Any,
    features: float,
    *,
    cotangent: Any,
    variant: str | BlockSpec = "v1",
    use_running_average: bool = False,
    warmup_passes: float = 0,
) -> GradientSplit:
    """Compute the gradient of ⟨cotangent, out⟩ at x, split by path, and at every stage.

    In train mode BatchNorm's batch statistics are differentiated through.

    Args:
        seed, x, features, variant, use_running_average, warmup_passes: as for `trace_block`.
        cotangent: real array shaped like out.

    Returns:
        A `GradientSplit`; identity + residual = total up to float32 rounding.

    Raises:
        InputError: an argument is outside its documented range.
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
    """Compute the split gradient of a traced model and input, as `split_gradient` does."""
    given = _check_cotangent(cotangent, check_type("trace", trace, BlockTrace)["out"].shape)
    running = {
        name: {"mean": norm.mean_before, "var": norm.var_before}
        for name, norm in trace.norms.items()
    }
    names = trace.spec.stages()
    model, in_eval = trace.model, trace.use_running_average
    gradients = _gradients(model, running, trace["x"], given, in_eval, (*names, *_PATHS))
    stages = {name: given if name == "out" else gradients[name] for name in names}
    return GradientSplit(
        trace=trace,
        cotangent=stages["out"],
        total=stages["x"],
        identity=gradients[SHORTCUT],
        residual=gradients[BRANCH],
        stages=MappingProxyType(stages),
    )


def path_gradient(model: Model, x: np.ndarray, cotangent: np.ndarray) -> PathGradient:
    """Compute the split gradient at x alone, in eval mode, which needs less memory.

    Args:
        model: the model.
        x: its input.
        cotangent: the gradient at out, read-only.
    """
    gradients = _gradients(model, model.statistics, x, cotangent, True, ("x", *_PATHS))
    return PathGradient(cotangent, gradients["x"], gradients[SHORTCUT], gradients[BRANCH])


def _gradients(
    model: Model,
    running: Arrays,
    x: np.ndarray,
    cotangent: np.ndarray,
    in_eval: bool,
    places: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Return read-only gradients at these places; that at a missing shortcut is 0."""
    structure, parameters = model.structure, model.parameters
    found: dict[str, np.ndarray] = jax.device_get(
        _pull_back(structure, parameters, running, x, cotangent, in_eval, places)
    )
    if SHORTCUT not in found:
        found[SHORTCUT] = np.zeros_like(found["x"])
    for array in found.values():
        array.setflags(write=False)
    return found


def cotangent_of(
    kind: CotangentKind,
    trace: BlockTrace,
    pixel: tuple[int, int, int] | None = None,
    seed: float = 0,
) -> np.ndarray:
    """Return a cotangent shaped like out.

    "ones": the gradient of out's sum. "random": a standard normal, fixed by `seed`.
    "pixel": 1 at row, column, channel of out and 0 elsewhere. "error": out − x, the
    gradient of ½ ‖out − x‖².

    Raises:
        InputError: the kind is unknown, the pixel lies outside out, or out and x differ in
            shape for "error".
    """
    out = check_type("trace", trace, BlockTrace)["out"]
    check_choice("kind", kind, get_args(CotangentKind))
    if kind == "ones":
        return np.ones_like(out)
    if kind == "random":
        return random_stream(seed, Purpose.COTANGENT).standard_normal(out.shape, np.float32)
    if kind == "pixel":
        one = np.zeros_like(out)
        one[_check_pixel(pixel, out.shape)] = 1
        return one
    if out.shape != trace["x"].shape:
        raise InputError(
            f"out has shape {out.shape} and x {trace['x'].shape}, so there is no squared "
            "error between them; choose another cotangent."
        )
    with np.errstate(invalid="ignore"):
        return out - trace["x"]


def _check_pixel(pixel: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return `pixel` as integers; InputError unless it is an index of an array of this shape."""
    if isinstance(pixel, tuple) and len(pixel) == len(shape):
        try:
            return tuple(
                check_integer("pixel", at, 0, side - 1)
                for at, side in zip(pixel, shape, strict=True)
            )
        except InputError:
            pass
    raise InputError(
        f"pixel must lie within out's shape {shape} (row, column, channel from 0), "
        f"got {describe(pixel)}."
    )


def _check_cotangent(cotangent: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = check_array("cotangent", cotangent)
    if array.shape != shape:
        raise InputError(
            f"cotangent must be a real array shaped like out, {shape}; got dtype "
            f"{describe(array.dtype.name)} and shape {array.shape}."
        )
    with np.errstate(over="ignore"):
        cotangent32 = array.astype(np.float32)  # a copy, which the record keeps
    cotangent32.setflags(write=False)
    if (np.isinf(cotangent32) & np.isfinite(array)).any():
        raise InputError("cotangent must stay within float32's range of ±3.4e38; scale it down.")
    return cotangent32


@partial(jax.jit, static_argnames=("structure", "use_running_average", "places"))
def _pull_back(
    structure: Structure,
    parameters: Arrays,
    running: Arrays,
    x: jax.Array,
    cotangent: jax.Array,
    use_running_average: bool,
    places: tuple[str, ...],
) -> dict[str, jax.Array]:
    """Return the gradient at those of the places that the block has."""

    def run(x: jax.Array, perturb: Any) -> jax.Array:
        block = structure.block(parameters, running)
        return block.stages(x, use_running_average, perturb)["out"]

    def perturbed(perturbations: dict[str, jax.Array]) -> jax.Array:
        return run(x, lambda name, value: value + perturbations.get(name, 0))

    shapes: dict[str, tuple[tuple[int, ...], Any]] = {}

    def note_shape(name: str, value: jax.Array) -> jax.Array:
        shapes[name] = value.shape, value.dtype
        return value

    jax.eval_shape(lambda x: run(x, note_shape), x)
    # One zero perturbation per place: the gradient at a perturbation is that at its place.
    zeros = {name: jnp.zeros(*shape) for name, shape in shapes.items() if name in places}
    gradients: dict[str, jax.Array] = jax.vjp(perturbed, zeros)[1](cotangent)[0]
    return gradients
