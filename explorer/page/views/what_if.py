"""The What if view: the basic block and a variant, on the same input with the same weights."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.shared_stages import shared_stages
from explorer.analysis.summary import Headline
from explorer.errors import InputError
from explorer.figures.panels import panels
from explorer.links.stage_link import PanelBlock
from explorer.model.layers import LayerNorm
from explorer.model.spec import BlockSpec
from explorer.page.bar import Bar, part_of_row, rest_of_row
from explorer.page.compile_ahead import compile_variants
from explorer.page.controls import toggle
from explorer.page.display import VARIANT_PREFIX
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment, Result, run, start_part
from explorer.page.last_result import is_stale
from explorer.page.views import forward_details
from explorer.page.views.subject import Subject
from explorer.page.views.variant_controls import variant_controls
from explorer.records import BlockTrace

KEY = "compared"


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    _compared(experiment, bar)
    compile_variants()


@st.fragment
def _compared(experiment: Experiment, bar: Bar) -> None:
    """Draw the choice of the variant, and all that depends on it."""
    result = start_part(experiment)
    if result is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left, end, right, words = part_of_row(), part_of_row(), part_of_row(), rest_of_row()
    with left:
        spec, warmup_passes = variant_controls(experiment, is_own_default=False, end=end)
    words.markdown(spec.description)
    if experiment.block is not None:
        st.caption(
            "The variant has the trained weights where its layers have the same names and shapes; "
            "it was not trained itself."
        )
    placeholder = st.empty()
    with st.container():  # one place, so that the figure below keeps its own
        other = _other(experiment, placeholder, spec, warmup_passes)
    _figure(experiment, spec, warmup_passes, other is not None, bar, right)
    st.caption(f"{spec.source}.")
    if other and not is_stale():
        with st.expander("Checks"):
            _numbers(result, other, _reference(experiment))


def _other(
    experiment: Experiment,
    placeholder: DeltaGenerator,
    spec: BlockSpec,
    warmup_passes: int | None,
) -> Result | None:
    """Return the variant's result; draw what is wrong where it does not run."""
    try:
        return run(experiment, placeholder, spec, warmup_passes)
    except PROBLEMS as problem:
        show_problem(problem, "variant")
        if isinstance(problem, InputError):
            _shapes(experiment, spec)
        return None


def _shared_panels(
    reference: BlockTrace, variant: BlockTrace, shared: Sequence[str]
) -> dict[str, str]:
    """Return the panels of the reference that the variant's show too, but for that of out."""
    of_variant, found = panels(variant.spec), {}
    for name, panel in panels(reference.spec).items():
        if panel.stage != "out" and panel.stage in shared:
            found[name] = VARIANT_PREFIX + (name if name in of_variant else panel.stage)
    return found


def _reference(experiment: Experiment) -> str:
    """Return the name of the block that the variant is compared with."""
    return "v1" if experiment.block is None else "the trained block"


def _summary(reference: BlockTrace, variant: BlockTrace, shared: Sequence[str], name: str) -> str:
    """Return sentences on what is unchanged, and on how much out differs."""
    unchanged = [stage for stage in shared if stage not in ("x", "out")]
    words = f"Unchanged, bit by bit: {', '.join(unchanged)}. " if unchanged else ""
    one, other = (trace["out"].astype(np.float64) for trace in (reference, variant))
    if "out" in shared:
        return f"{words}out is that of {name} in every cell."
    if one.shape != other.shape:
        sizes = ("×".join(map(str, out.shape)) for out in (other, one))
        return words + "out is {} instead of {}.".format(*sizes)
    part = float(np.mean(one != other))
    words += f"out differs from that of {name} in {part:.1%} of the cells of all channels"
    with np.errstate(all="ignore"):
        norms = [float(np.linalg.norm(values)) for values in (other - one, one)]
    size = norms[0] / (norms[1] or math.nan)
    if math.isfinite(size):
        words += f"; the difference is {size:.2f} × as large as out of {name} (Euclidean norms)"
    return f"{words}."


def _numbers(result: Result, other: Result, reference: str) -> None:
    """Draw the same numbers for both blocks."""
    named = {reference: result.numbers.headline, other.trace.spec.title: other.numbers.headline}
    table = {"block": list(named)}
    for label, format_number in _NUMBERS.items():
        table[label] = [_typeset(format_number(numbers)) for numbers in named.values()]
    st.table(table, hide_index=True, border="horizontal", width="content")
    words = [
        "Norms and variances are over all cells; variance from x is Var(x) / (Var(x) + Var(F)); "
        "add − F(x) − x is the largest error of the sum, 0 if it is exact."
    ]
    spec, channels = other.trace.spec, other.trace.features
    if spec.shortcut:
        words.append("In the variant's row, x is the output of its shortcut.")
    if channels == 1 and any(isinstance(layer, LayerNorm) for _, layer in spec.branch):
        words.append("With one channel, LayerNorm maps every pixel to 0, so F(x) is constant.")
    st.caption(" ".join(words))
    compared = _correlations(
        result.numbers.headline.correlation, other.numbers.headline.correlation, reference
    )
    if compared and spec.key != result.trace.spec.key:
        st.caption(compared)


def _correlations(before: float, after: float, reference: str) -> str:
    """Return a sentence on how much of x is in out; none where a correlation is undefined."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return ""
    one, other = (_typeset(f"{value:.3f}") for value in (before, after))
    return (
        f"The correlation of out with x is {one} in {reference} and {other} in the variant. It "
        "compares value by value, so shapes of x may be visible in out even where it is small or "
        "negative."
    )


def _typeset(text: str) -> str:
    """Return a formatted number with a minus sign for a hyphen, and a dash for NaN and infinity."""
    return "–" if "nan" in text or "inf" in text else text.replace("-", "−")


def _shapes(experiment: Experiment, spec: BlockSpec) -> None:
    """Draw the shapes of the branch and of the identity, for a sum that does not run."""
    branch = replace(spec, shortcut=None, after=())
    try:
        stages = run(experiment, st.empty(), branch).trace.stages
    except PROBLEMS:
        return
    shapes = {name: "×".join(map(str, value.shape)) for name, value in stages.items()}
    path = " → ".join(f"{name} {shapes[name]}" for name in ("x", *dict(spec.branch)))
    st.caption(f"The branch: {path} = F(x). The identity: x {shapes['x']}.")


_NUMBERS: Mapping[str, Callable[[Headline], str]] = {
    "‖F(x)‖ / ‖x‖": lambda numbers: f"{numbers.ratio:.3f}",
    "variance from x": lambda numbers: f"{numbers.identity_share:.0%}",
    "std of out": lambda numbers: f"{numbers.spread:.3f}",
    "zeroed by the last ReLU": lambda numbers: f"{numbers.zeroed:.1%}",
    "correlation of out with x": lambda numbers: f"{numbers.correlation:.3f}",
    "add − F(x) − x": lambda numbers: f"{numbers.add_error:.3g}",
}


@st.fragment
def _figure(
    experiment: Experiment,
    spec: BlockSpec,
    warmup_passes: int | None,
    runs: bool,
    bar: Bar,
    right: DeltaGenerator,
) -> None:
    """Draw the variant beside the block, and their difference; only the block if it does not run.

    `right` is the place of the switch for the difference.
    """
    try:
        result = run(experiment, st.empty())
        other = run(experiment, st.empty(), spec, warmup_passes) if runs else None
    except PROBLEMS as problem:
        show_problem(problem, "figure")
        return
    name = _reference(experiment)
    block = PanelBlock(result.trace, heading=f"{name}, the reference")
    blocks, difference, summary = [block], None, None
    if other:
        trace = other.trace
        shared = shared_stages(result.trace, trace)
        block = replace(block, elsewhere=_shared_panels(result.trace, trace, shared))
        blocks = [block, PanelBlock(trace, VARIANT_PREFIX, trace.spec.title)]
        summary = partial(_summary, result.trace, trace, shared, name)
        with right:
            is_wanted = toggle("Difference, stage by stage", key="difference")
        if is_wanted:
            difference = PanelBlock(trace, "difference ", f"Difference: variant − {name}")
    shown = (other or result).trace
    key = *experiment.key(shown.spec), warmup_passes
    if warmup_passes is not None:
        experiment = replace(experiment, warmup_passes=warmup_passes)
    forward_details.draw_block(
        KEY,
        blocks,
        Subject(shown, key, experiment.private, experiment, result.trace, spec),
        bar,
        difference=difference,
        summary=None if is_stale() else summary,
    )
