"""The forward pass of a model, with every stage as a NumPy array."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer.engine.stage_program import Found, run_model
from explorer.errors import (
    InputError,
    as_array,
    check_flag,
    check_integer,
    check_type,
    describe,
)
from explorer.inputs.random_streams import check_seed
from explorer.model.arguments import (
    check_channels,
    check_dtype,
    check_features,
    check_input,
)
from explorer.model.block import BasicBlock
from explorer.model.spec import BlockSpec
from explorer.model.weights import Arrays, Model, check_variant
from explorer.records import BlockTrace, NormTrace

MAX_WARMUP_PASSES = 1_000
MAX_STAGE_VALUES = 2**24  # of a variant's stage with more channels than x


def resnet_basic_forward(seed: float, x: Any, features: float) -> jax.Array:
    """Run a fresh basic block once in train mode and return its output, flattened.

    The block is `BasicBlock(int(features), nnx.Rngs(int(seed)))`. JAX can transform the function
    over `x`, for instance with `jax.jit`, `jax.grad` and `jax.vmap`.

    Args:
        seed: number that fixes the weights; its fraction is dropped.
        x: real array `(H, W, C)` with C equal to `features`.
        features: number of at least 1; its fraction is dropped.

    Returns:
        Array of as many values as `x`, row-major, of the type that NNX gives: float32 for an `x`
        of at most 32 bits.

    Raises:
        InputError: the block cannot run with these arguments.
    """
    width = _truncate("features", features)
    if width < 1:
        raise InputError(f"features must be at least 1, got {describe(features)}.")
    array = x if isinstance(x, jax.Array) else as_array("x", x)
    check_dtype(array.dtype)
    if array.ndim != 3:
        raise InputError(
            f"x must have 3 axes (H, W, C), got {array.ndim} with shape {array.shape}; pass one "
            "image, or a batch to trace_block."
        )
    check_channels(array.shape, width)
    try:
        rngs = nnx.Rngs(_truncate("seed", seed))
    except OverflowError:
        raise InputError(f"seed must fit into 64 bits, got {describe(seed)}.") from None
    with np.errstate(over="ignore"):  # float64 beyond float32's range becomes infinite
        given = jnp.asarray(array)
    return BasicBlock(width, rngs)(given, use_running_average=False).reshape(-1)


def _truncate(name: str, value: Any) -> int:
    """Return `int(value)`; InputError if there is none."""
    try:
        return int(value)
    except Exception:  # a foreign __int__ may raise anything
        raise InputError(f"{name} must be a finite number, got {describe(value)}.") from None


def trace_block(
    seed: float,
    x: Any,
    features: float,
    *,
    use_running_average: bool = False,
    warmup_passes: float = 0,
    variant: str | BlockSpec = "v1",
) -> BlockTrace:
    """Run a fresh block on `x` and return every stage.

    Args:
        seed: integer 0 … 2³²−1, fixes the weights.
        x: real array `(H, W, C)` or `(N, H, W, C)` with C equal to `features`.
        features: integer ≥ 1.
        use_running_average, warmup_passes: as for `trace_model`.
        variant: a key of `VARIANTS`, or a spec; as for `Model.from_seed`.

    Returns:
        A `BlockTrace`; the same arguments give the same bits.

    Raises:
        InputError: an argument is outside its documented range.
    """
    given = check_arguments(seed, x, features)
    check_integer("warmup_passes", warmup_passes, 0, MAX_WARMUP_PASSES)
    check_stage_sizes(check_variant(variant), given.shape)
    return trace_model(
        Model.from_seed(seed, features, variant),
        given,
        use_running_average=use_running_average,
        warmup_passes=warmup_passes,
    )


def trace_model(
    model: Model, x: Any, *, use_running_average: bool = False, warmup_passes: float = 0
) -> BlockTrace:
    """Run a model on `x` and return every stage.

    Args:
        model: the model to run; it is not changed.
        x: real array `(H, W, C)` or `(N, H, W, C)` with the model's C; it is not changed.
            In train mode the statistics of BatchNorm are over N, H and W.
        use_running_average: False is train mode, True is eval mode.
        warmup_passes: train-mode passes on `x` before this one, 0 … 1000. Each
            moves the running statistics one step towards those of the batch, which
            changes the stages only in eval mode.

    Returns:
        A `BlockTrace`; the same arguments give the same bits.

    Raises:
        InputError: an argument is outside its documented range.
    """
    check_type("model", model, Model)
    x32 = check_input(x, model.features).copy()  # JAX may alias it, and the caller may write to `x`
    x32.setflags(write=False)
    warmup_count = check_integer("warmup_passes", warmup_passes, 0, MAX_WARMUP_PASSES)
    check_stage_sizes(model.spec, x32.shape)
    in_eval = check_flag("use_running_average", use_running_average) or model.spec.always_eval
    running = _warm_up(model, x32, warmup_count) if warmup_count else model.statistics
    found = run_model(model, running, x32, in_eval)
    return _trace(model, running, x32, found, in_eval, warmup_count)


def trace_chain(models: Iterable[Model], x: np.ndarray, in_eval: bool) -> list[BlockTrace]:
    """Run models in order, each on the output of the one before; return a trace of each.

    A trace's x and the out before it are one array. Nothing waits for a model's stages before the
    next model runs.

    Args:
        models: that fit together.
        x: the first one's input, read-only float32.
        in_eval: whether BatchNorm uses the running statistics.
    """
    h: Any = x
    runs = []
    for model in models:
        found = run_model(model, model.statistics, h, in_eval)
        runs.append((model, h, found))
        h = found[0]["out"]
    return [_trace(model, model.statistics, h, found, in_eval) for model, h, found in runs]


def _trace(
    model: Model,
    running: Arrays,
    x: Any,
    found: Found,
    in_eval: bool,
    warmup_passes: int = 0,
) -> BlockTrace:
    """Return the record of what `run_model` has found."""
    stages, statistics = on_host((found[0] | {"x": x}, found[1]))
    return BlockTrace(
        model=model,
        use_running_average=in_eval,
        warmup_passes=warmup_passes,
        stages=MappingProxyType({name: _frozen(stages[name]) for name in model.spec.stages()}),
        norms=MappingProxyType(_norm_traces(model, on_host(running), statistics, in_eval)),
    )


def check_arguments(seed: Any, x: Any, features: Any) -> np.ndarray:
    """Check the arguments, before weights are drawn; return `x` as float32."""
    width = check_features(features)
    check_seed(seed)
    return check_input(x, width)


def check_stage_sizes(spec: BlockSpec, shape: tuple[int, ...]) -> None:
    """Raise InputError if a stage wider than the input would exceed `MAX_STAGE_VALUES`."""
    stage, width = max(spec.widths(shape[-1]).items(), key=lambda item: item[1])
    size = (*shape[:-1], width)
    count = int(np.prod(size, dtype=np.int64))
    if width > shape[-1] and count > MAX_STAGE_VALUES:
        raise InputError(
            f"Stage {stage} would have {'×'.join(map(str, size))} = {count:,} values; the limit "
            f"is {MAX_STAGE_VALUES:,}. Choose a smaller input or fewer channels."
        )


def _warm_up(model: Model, x: np.ndarray, warmup_count: int) -> Arrays:
    """Return the running statistics after `warmup_count` train-mode calls on the same `x`.

    The batch statistics of such a call do not depend on the running ones, so
    they are the same every time and only the moving average is repeated.
    """
    rows = run_model(model, model.statistics, x, False)[1]
    batch = {name: {"mean": norm[0], "var": norm[1]} for name, norm in on_host(rows).items()}
    momentum, moved = model.batch_norm.momentum, on_host(model.statistics)
    for _ in range(warmup_count):
        moved = jax.tree.map(lambda r, b: momentum * r + (1 - momentum) * b, moved, batch)
    return moved


def on_host(arrays: Any) -> Any:
    """Convert a tree of JAX arrays to NumPy arrays; on a CPU nothing is copied."""
    return jax.tree.map(np.asarray, arrays)


def _norm_traces(
    model: Model, running: Arrays, statistics: dict[str, np.ndarray], in_eval: bool
) -> dict[str, NormTrace]:
    traces = {}
    for norm in model.spec.norms():
        batch_mean, batch_var, mean_after, var_after = _frozen(statistics[norm])
        mean_before, var_before = _frozen(running[norm]["mean"]), _frozen(running[norm]["var"])
        mean, var = (mean_before, var_before) if in_eval else (batch_mean, batch_var)
        traces[norm] = NormTrace(
            mean_before=mean_before,
            var_before=var_before,
            batch_mean=batch_mean,
            batch_var=batch_var,
            mean_after=mean_after,
            var_after=var_after,
            mean=mean,
            var=var,
            gamma=model.parameters[norm]["scale"],
            beta=model.parameters[norm]["bias"],
            epsilon=model.batch_norm.epsilon,
            momentum=model.batch_norm.momentum,
        )
    return traces


def _frozen(array: np.ndarray) -> np.ndarray:
    host = np.asarray(array)
    if host.flags.writeable:
        host = host.copy()
        host.setflags(write=False)
    return host
