"""Scripts that compute a trace again."""

import fractions
import re

from explorer.engine.stage_program import compiler_options
from explorer.errors import InputError, check_type
from explorer.export import script_parts
from explorer.export.embedded import MAX_EMBEDDED, Arrays
from explorer.export.script_parts import Script
from explorer.model import layers, pooling
from explorer.model.layers import Scale
from explorer.model.source_code import nnx_script
from explorer.model.spec import BlockSpec
from explorer.model.variants import VARIANTS
from explorer.model.weights import FromSeed
from explorer.records import BlockTrace


def to_script(trace: BlockTrace) -> str:
    """Return a script that computes the trace again and prints the digest of its `out`.

    It needs JAX, Flax and NumPy, not this package. Input and weights that no seed makes are in
    the script, at most 1 MB each; `plain_script` gives larger ones as files beside it.

    Args:
        trace: of one picture, or of a batch.

    Raises:
        InputError: `trace` is no trace, is a picture of a batch in train mode, whose statistics
            are the batch's, or has more values than a script may hold.
    """
    found = plain_script(trace)
    for name, content in found.files.items():
        raise InputError(
            f"trace has too many values for a script: {name} has {len(content) / 1e6:.1f} MB, the "
            f"limit is {MAX_EMBEDDED / 1e6:.1f} MB compressed. "
            "explorer.export.script.plain_script(trace) returns a script and the files it reads."
        )
    return found.text


def plain_script(trace: BlockTrace, input_source: str = "") -> Script:
    """Return the script of `to_script`, and the files that it reads.

    Args:
        trace: of one picture, or of a batch.
        input_source: lines that make its input `x` as float32, if it is a formula.

    Raises:
        InputError: as for `to_script`, except for the size.
    """
    _check(trace, input_source)
    model, arrays = trace.model, Arrays()
    x_source = input_source or script_parts.input_source(trace["x"], arrays)
    weights = {}
    seed = _seed(trace)
    if seed is None or (trace.use_running_average and trace.warmup_passes):
        factors = {name for name, each in trace.spec.layers().items() if isinstance(each, Scale)}
        own = {name: each for name, each in model.parameters.items() if name not in factors}
        weights = script_parts.by_path(own) | script_parts.statistics_before(trace)
    text = nnx_script(
        trace.spec,
        trace["x"].shape,
        seed=seed or 0,
        features=trace.features,
        use_running_average=trace.use_running_average,
        batch_norm=model.batch_norm,
        input_source=x_source,
        weights_source=script_parts.weights_source(weights, arrays) if weights else "",
        compiler_options=compiler_options(model, trace.use_running_average),
    )
    return Script(script_parts.header(trace) + text, arrays.files)


def explorer_script(trace: BlockTrace, input_source: str = "") -> Script:
    """Return a script that computes the trace again with this package.

    Args:
        trace: of one picture, or of a batch.
        input_source: lines that make its input `x` as float32, if it is a formula.

    Raises:
        InputError: as for `to_script`, except for the size.
    """
    _check(trace, input_source)
    model, arrays = trace.model, Arrays()
    x_source = input_source or script_parts.input_source(trace["x"], arrays)
    variant, imports = _variant(trace.spec)
    mode = f"use_running_average={trace.use_running_average}"
    if (seed := _seed(trace)) is not None:
        run = [
            f"seed, features = {seed}, {trace.features}",
            f"model = explorer.Model.from_seed(seed, features, {variant}, batch_norm)",
        ]
        mode += f", warmup_passes={trace.warmup_passes}" * bool(trace.warmup_passes)
    else:
        weights = script_parts.by_path({"parameters": model.parameters})
        statistics = script_parts.statistics_before(trace)
        weights |= {f"statistics.{path}": array for path, array in statistics.items()}
        run = [
            script_parts.weights_source(weights, arrays).rstrip(),
            "model = explorer.Model(",
            f"    {variant}, {trace.features},",
            '    weights["parameters"], weights.get("statistics", {}), "script", batch_norm,',
            ")",
        ]
    lines = [
        "import numpy as np",
        "",
        "import explorer",
        *imports,
        "",
        f"batch_norm = {model.batch_norm!r}",
        x_source,
        *run,
        f"trace = explorer.trace_model(model, x, {mode})",
        'print(f"digest of out: {trace.digest()}")',
        "",
    ]
    return Script(script_parts.header(trace) + "\n".join(lines), arrays.files)


def _check(trace: BlockTrace, input_source: str) -> None:
    check_type("trace", trace, BlockTrace)
    check_type("input_source", input_source, str)
    script_parts.check_statistics(trace)


def _seed(trace: BlockTrace) -> int | None:
    """Return the seed that makes the weights, if one does."""
    provenance = trace.model.provenance
    return provenance.seed if isinstance(provenance, FromSeed) else None


def _variant(spec: BlockSpec) -> tuple[str, list[str]]:
    """Return an expression of the spec, and the imports that it needs."""
    names = {"BatchNormSettings"}
    expression = ""
    for name, variant in VARIANTS.items():
        if variant.key == spec.key:
            expression = f"explorer.VARIANTS[{name!r}]"
    if not expression:
        expression = repr(spec)
        names |= set(re.findall(r"\b([A-Z]\w*)\(", spec.key))
        expression = f"explorer.{expression}"
    modules = {
        module.__name__: sorted(name for name in names if hasattr(module, name))
        for module in (fractions, layers, pooling)
    }
    found = modules.items()
    return expression, [f"from {name} import {', '.join(used)}" for name, used in found if used]
