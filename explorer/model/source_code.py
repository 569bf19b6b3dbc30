"""The NNX source code of a block spec: as a class, a script, and a diff of two specs."""

from collections.abc import Mapping
from difflib import unified_diff
from fractions import Fraction
from types import MappingProxyType

from explorer.errors import check_flag, check_integer, check_type
from explorer.inputs.random_streams import check_seed
from explorer.model.arguments import check_features
from explorer.model.layers import (
    DEFAULT_BATCH_NORM,
    GELU,
    Attention,
    BatchNorm,
    BatchNormSettings,
    Conv,
    Crop,
    Dense,
    Layer,
    LayerNorm,
    PadChannels,
    ReLU,
    Scale,
    Times,
    Width,
    check_width,
)
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


def nnx_source(
    spec: BlockSpec,
    use_running_average: bool = False,
    batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM,
) -> str:
    """Return a class `Block` of the spec, and the line that calls it; `nnx_script` is complete."""
    check_type("spec", spec, BlockSpec)
    lines = [*_block_class(spec, batch_norm), "", _call_block(spec, use_running_average)]
    return "\n".join(lines)


def nnx_script(
    spec: BlockSpec,
    shape: tuple[int, ...],
    *,
    seed: int,
    features: int,
    use_running_average: bool = False,
    warmup_passes: int = 0,
    batch_norm: BatchNormSettings = DEFAULT_BATCH_NORM,
    input_source: str = "",
    weights_source: str = "",
    compiler_options: Mapping[str, str] = NO_OPTIONS,
) -> str:
    """Return a script that runs a block of the spec; it needs only Flax and NumPy.

    Args:
        spec: the layers of the block.
        shape: of the input.
        seed, features: as for `Model.from_seed`.
        use_running_average, warmup_passes: as for `trace_model`.
        batch_norm: ε and momentum of all BatchNorms.
        input_source: lines that make the array `x`; empty to load it from the file x.npy.
        weights_source: lines that make `weights`, all of them by layer and variable; empty to draw
            fresh ones.
        compiler_options: of XLA, for the pass that gives `out`.
    """
    check_type("spec", spec, BlockSpec)
    check_type("shape", shape, tuple)
    check_type("input_source", input_source, str)
    first, width = check_seed(seed), check_features(features)
    passes = check_integer("warmup_passes", warmup_passes, 0, None)
    check_type("weights_source", weights_source, str)
    needs_jnp = any(isinstance(layer, PadChannels) for layer in spec.layers().values())
    load = f'x = np.load("x.npy")  # the input of the block, float32 of shape {shape}\n'
    is_v1 = spec.structure() == V1.structure()
    warm_up = [
        f"for _ in range({passes}):  # warm-up passes",
        "    run(block, x, use_running_average=False)",
    ]
    lines = [
        "import hashlib",
        "",
        *(["import jax"] if compiler_options else []),
        *(["import jax.numpy as jnp"] if needs_jnp else []),
        "import numpy as np",
        "from flax import nnx",
        "",
        f"seed, features = {first}, {width}",
        "",
        input_source or load,
        "",
        *_block_class(spec, batch_norm),
        "",
        "",
        *([weights_source] if weights_source else []),
        *(
            ["block = Block(features, nnx.Rngs(seed))"]
            if is_v1 or weights_source
            else _with_kernels_of_v1(spec)
        ),
        *(["nnx.update(block, weights)", ""] if weights_source else []),
        'run = nnx.jit(Block.__call__, static_argnames="use_running_average")',
        *(warm_up if passes else []),
        *_call_with_options(spec, use_running_average, compiler_options),
        "",
        "out = np.asarray(out)",
        'print(f"std of out: {out.std():.3f}")',
        "digest = hashlib.blake2b(str(out.shape).encode() + out.tobytes(), digest_size=8)",
        'print(f"digest of out: {digest.hexdigest()}")  # another machine may change the last bits',
        "",
    ]
    return "\n".join(lines)


def _block_class(spec: BlockSpec, batch_norm: BatchNormSettings) -> list[str]:
    build, call = _body(spec, check_type("batch_norm", batch_norm, BatchNormSettings))
    return [
        "class Block(nnx.Module):",
        "    def __init__(self, features, rngs):",
        *(f"        {line}" for line in build),
        "",
        "    def __call__(self, x, use_running_average):",
        *(f"        {line}" for line in call),
        "        return out",
    ]


def _call_block(spec: BlockSpec, use_running_average: bool) -> str:
    in_eval = check_flag("use_running_average", use_running_average) or spec.always_eval
    return f"out = run(block, x, use_running_average={in_eval})"


def _call_with_options(
    spec: BlockSpec, use_running_average: bool, options: Mapping[str, str]
) -> list[str]:
    """Return the lines that call the block, compiled with these options of XLA."""
    if not options:
        return [_call_block(spec, use_running_average)]
    in_eval = use_running_average or spec.always_eval
    return [
        "graph, state = nnx.split(block)",
        f"options = {dict(options)!r}  # for the same last bits",
        f"forward = lambda state, x: nnx.merge(graph, state)(x, {in_eval})",
        "out = jax.jit(forward, compiler_options=options)(state, x)",
    ]


def _body(spec: BlockSpec, batch_norm: BatchNormSettings) -> tuple[list[str], list[str]]:
    """Return the lines that build the layers, and those that call them."""
    layers = spec.layers()
    widths: dict[str, Width] = {"x": Times(Fraction(1))}
    build, call = [], []
    for stage, sources in spec.sources().items():
        first = sources[0]
        if stage not in layers:
            widths[stage] = widths[first]
            call.append(f"{stage} = {' + '.join(sources)}")
            continue
        layer = layers[stage]
        widths[stage] = _width(layer, widths[first])
        if constructor := _constructor(layer, widths[first], widths[stage], batch_norm):
            build.append(f"self.{stage} = {constructor}")
        call.append(f"{stage} = {_call(layer, stage, first)}")
    return build, call


def _with_kernels_of_v1(spec: BlockSpec) -> list[str]:
    """Return the lines that build the block as `SpecBlock` does: v1's weights are drawn first."""
    convs = [name for name, layer in spec.branch if isinstance(layer, Conv)]
    pairs = [f"(block.{name}, v1.{name})" for name in convs if name in dict(V1.branch)]
    copy = [
        f"for conv, of_v1 in ({', '.join(pairs)},):",
        "    if conv.kernel.shape == of_v1.kernel.shape:",
        "        conv.kernel[...] = of_v1.kernel[...]",
    ]
    return [
        "class V1(nnx.Module):  # drawn first, so that kernels of the same name and shape are v1's",
        "    def __init__(self, features, rngs):",
        *(f"        {line}" for line in _body(V1, DEFAULT_BATCH_NORM)[0]),
        "",
        "",
        "rngs = nnx.Rngs(seed)",
        "v1, block = V1(features, rngs), Block(features, rngs)",
        *(copy if pairs else []),
    ]


def source_diff(one: BlockSpec, other: BlockSpec, use_running_average: bool = False) -> str:
    """Return the lines that turn the code of `one` into that of `other`, as a unified diff."""
    before, after = (nnx_source(spec, use_running_average) for spec in (one, other))
    lines = unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return "\n".join(list(lines)[2:])


def _width(layer: Layer, channels: Width) -> Width:
    match layer:
        case Conv(out=out) | PadChannels(out=out) if out is not None:
            return check_width(out)
        case Dense(times=times, over=over):
            if isinstance(channels, int):
                return channels * times // over
            return Times(channels.factor * Fraction(times, over))
        case _:
            return channels


def _width_code(width: Width, features: str = "features") -> str:
    if isinstance(width, int):
        return str(width)
    factor = width.factor
    if factor.denominator == 1:
        return features if factor == 1 else f"{factor} * {features}"
    times = "" if factor.numerator == 1 else f" * {factor.numerator}"
    return f"max(1, {features}{times} // {factor.denominator})"


def _constructor(
    layer: Layer, channels: Width, out: Width, batch_norm: BatchNormSettings
) -> str | None:
    """Return the expression that builds the layer's module; None without state."""
    inputs = _width_code(channels)
    match layer:
        case Conv(size=size, stride=stride, padding=padding, bias=bias):
            even = stride > 1 and padding == "SAME"
            pads = str((size - 1) // 2) if even else f'"{padding}"'
            strides = f"strides={stride}, " if stride > 1 else ""
            shape = f"kernel_size=({size}, {size}), {strides}padding={pads}{_init('bias', bias, 0)}"
            return f"nnx.Conv({inputs}, {_width_code(out)}, {shape}, rngs=rngs)"
        case BatchNorm(gamma=gamma, beta=beta):
            settings = ""
            if batch_norm != DEFAULT_BATCH_NORM:
                settings = f", epsilon={batch_norm.epsilon}, momentum={batch_norm.momentum}"
            init = _init("scale", gamma, 1) + _init("bias", beta, 0)
            return f"nnx.BatchNorm({inputs}{settings}{init}, rngs=rngs)"
        case LayerNorm():
            return f"nnx.LayerNorm({inputs}, rngs=rngs)"
        case Dense():
            return f"nnx.Linear({inputs}, {_width_code(out)}, rngs=rngs)"
        case Attention():
            return f"nnx.MultiHeadAttention(1, {inputs}, decode=False, rngs=rngs)"
        case _:
            return None


def _init(name: str, value: float, default: float) -> str:
    return "" if value == default else f", {name}_init=nnx.initializers.constant({value!r})"


def _call(layer: Layer, stage: str, source: str) -> str:
    """Return the expression that computes a stage from its source, `(…, H, W, C)`."""
    match layer:
        case ReLU():
            return f"nnx.relu({source})"
        case GELU():
            return f"nnx.gelu({source})"
        case Scale(factor=factor):
            return f"{factor!r} * {source}"
        case Crop(margin=margin):
            return f"{source}[..., {margin}:-{margin}, {margin}:-{margin}, :]"
        case PadChannels(out=out, stride=stride, zeros=zeros):
            strided = f"{source}[..., ::{stride}, ::{stride}, :]" if stride > 1 else source
            here = f"{source}.shape[-1]"
            missing = f"{_width_code(check_width(out), here)} - {here}"
            ends = f"(0, {missing})"
            if zeros == "around":
                ends = f"(({missing}) // 2, ({missing} + 1) // 2)"
            return f"jnp.pad({strided}, [(0, 0)] * ({source}.ndim - 1) + [{ends}])"
        case MaxPool(size=size, stride=stride, radius=radius):
            pads = f"padding=[({radius}, {radius})] * 2"
            return f"nnx.max_pool({source}, ({size}, {size}), ({stride}, {stride}), {pads})"
        case AvgPool(size=size):
            tile = f"({size}, {size})"
            pads = f"[(0, -side % {size}) for side in {source}.shape[-3:-1]]"
            return f"nnx.avg_pool({source}, {tile}, {tile}, {pads}, count_include_pad=False)"
        case BatchNorm():
            return f"self.{stage}({source}, use_running_average=use_running_average)"
        case Attention():
            tokens = f"{source}.reshape(*{source}.shape[:-3], -1, {source}.shape[-1])"
            return f"self.{stage}({tokens}).reshape({source}.shape)"
        case _:
            return f"self.{stage}({source})"
