"""The Gradients view: the gradient at x, by path."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.receptive_field import Influence, influence
from explorer.analysis.summary import GradientNumbers, gradient_numbers
from explorer.engine.forward import trace_model
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.figures.influence import influence_layouts
from explorer.model.layers import Conv
from explorer.model.spec import BlockSpec
from explorer.page import stage_panel
from explorer.page.bar import Bar, part_of_row
from explorer.page.cache import get_or_compute
from explorer.page.component import linked_figure
from explorer.page.controls import segmented_choice
from explorer.page.display import DisplaySettings
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import ONE_IMAGE, Experiment, Result, run
from explorer.page.last_result import is_stale, recall, remember
from explorer.page.panel_link import PanelBlock
from explorer.page.views.variant_controls import variant_controls
from explorer.records import BlockTrace, CotangentKind, GradientSplit

KEY = "gradients"
COTANGENTS: Final[Mapping[CotangentKind, str]] = {
    "ones": "ones",
    "random": "random",
    "pixel": "pinned pixel",
    "error": "squared error",
}


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    if experiment.image is not None:
        st.caption(ONE_IMAGE)
        experiment = experiment.alone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left, right = part_of_row(), part_of_row()
    with left:
        spec, warmup_passes = variant_controls(experiment, is_own_default=True)
    if warmup_passes is not None:
        experiment = replace(experiment, warmup_passes=warmup_passes)
    _figure(experiment, spec, bar, right)


@st.fragment
def _figure(experiment: Experiment, spec: BlockSpec, bar: Bar, right: DeltaGenerator) -> None:
    """Draw the gradient of the selected cotangent; after an error, the last one, pale.

    `right` is the place of the control of the cotangent.
    """
    with right:
        kind: CotangentKind = segmented_choice(
            "Gradient of",
            tuple(COTANGENTS),
            key="cotangent",
            titles=COTANGENTS,
            help="The gradient at out: ones (the gradient of the sum of out), random, one pixel "
            "(the pinned one, else the one with the largest out in the channel), or out − x (the "
            "gradient of ½ ‖out − x‖²).",
        )
    stale, placeholder, messages = False, st.empty(), st.container()
    try:
        trace = _trace(experiment, spec, kind, placeholder)
    except PROBLEMS as problem:
        with messages:
            show_problem(problem, "variant")
        last = recall(KEY)
        if last is None:
            return
        spec, kind = last
        try:
            trace = _trace(experiment, spec, kind, placeholder)
        except PROBLEMS:  # the input has changed too
            return
        stale = True
    remember(KEY, (spec, kind))
    block = PanelBlock(trace, backward=True)
    display = stage_panel.controls(KEY, bar, block, default_pin=experiment.default_pin)
    pixel = _pixel(trace, display) if kind == "pixel" else None
    placeholder = st.empty()
    try:
        split = _split(experiment, trace, kind, pixel, placeholder)
        influences = _influences(experiment, split, pixel, placeholder) if pixel else {}
    except PROBLEMS as problem:
        show_problem(problem, "gradient")
        return
    if stale or is_stale():
        stage_panel.draw_gradient(KEY, split, display, stale=stale)
        return
    stage_panel.draw_gradient(KEY, split, display)
    if pixel and not display.pin:
        st.caption(_choice(trace, pixel))
    _numbers(gradient_numbers(split))
    st.caption(_explanation(trace))
    for words in _remarks(split):
        st.caption(words)
    if pixel:
        _show_influences(influences, trace, display, pixel)


def _trace(
    experiment: Experiment, spec: BlockSpec, kind: CotangentKind, placeholder: DeltaGenerator
) -> BlockTrace:
    """Return the trace, if it has a cotangent of this kind."""
    trace = run(experiment, placeholder, spec).trace
    if kind == "error":
        cotangent_of(kind, trace)  # raises InputError where out and x differ in shape
    return trace


def _pixel(trace: BlockTrace, display: DisplaySettings) -> tuple[int, int, int]:
    """Return the pixel of out at the pinned pixel of x, else the one with the largest value.

    A pixel that the last ReLU zeroed has no gradient; the largest is zeroed only if all are.
    """
    out = trace["out"]
    height, width, channels = out.shape
    channel = min(display.channel or 0, channels - 1)
    if display.pin:
        grid = trace.spec.grids()["out"]
        row, col = grid.to_stage(display.pin.row), grid.to_stage(display.pin.col)
        return min(max(row, 0), height - 1), min(max(col, 0), width - 1), channel
    values = out[:, :, channel]
    largest = np.argmax(np.where(np.isfinite(values), values, -np.inf))
    row, col = divmod(int(largest), width)
    return row, col, channel


def _choice(trace: BlockTrace, pixel: tuple[int, int, int]) -> str:
    """Return a sentence on the pixel that is taken where none is pinned."""
    row, col, channel = pixel
    if trace.spec.last_relu_input and not trace["out"][:, :, channel].any():
        return (
            f"No pixel is pinned, and the last ReLU zeroed every pixel of channel {channel}, so "
            "the gradient of each is 0. Select another channel."
        )
    return (
        f"No pixel is pinned, so the one with the largest out in channel {channel} is taken: "
        f"[{row}, {col}]. Click on a pixel to take that one."
    )


def _split(
    experiment: Experiment,
    trace: BlockTrace,
    kind: CotangentKind,
    pixel: tuple[int, int, int] | None,
    placeholder: DeltaGenerator,
) -> GradientSplit:
    return get_or_compute(
        ("gradient", *experiment.key(trace.spec), kind, pixel),
        lambda: split_trace(trace, cotangent_of(kind, trace, pixel, experiment.seed)),
        private=experiment.private,
        placeholder=placeholder,
        message="Computing the gradient",
        is_quick=True,
    )


def _influences(
    experiment: Experiment,
    split: GradientSplit,
    pixel: tuple[int, int, int],
    placeholder: DeltaGenerator,
) -> dict[str, Influence]:
    """Return the influence on one pixel of out, with and without the shortcut."""
    trace, spec = split.trace, split.trace.spec

    def compute() -> dict[str, Influence]:
        found = {"block": influence(split)}
        if spec.shortcut is not None:
            without_shortcut = trace_model(
                trace.model.without_shortcut(),
                trace["x"],
                use_running_average=trace.use_running_average,
                warmup_passes=trace.warmup_passes,
            )
            found["without_shortcut"] = influence(split_trace(without_shortcut, split.cotangent))
        return found

    return get_or_compute(
        ("influence", *experiment.key(spec), pixel),
        compute,
        private=experiment.private,
        placeholder=placeholder,
        message="Computing the gradient without the shortcut",
    )


def _numbers(numbers: GradientNumbers) -> None:
    cards = [
        ("‖identity part‖", f"{numbers.identity:.4g}", "through the shortcut"),
        ("‖residual part‖", f"{numbers.residual:.4g}", "through F"),
        ("Identity's share", f"{numbers.identity_share:.0%}", "of the squared norms"),
        ("Cosine", f"{numbers.cosine:.3f}", "between the parts"),
        ("Sum of parts − total", f"{numbers.error:.2g}", "0, up to rounding"),
    ]
    with st.container(horizontal=True):
        for label, value, line in cards:
            with st.container(width=150, gap=None):
                st.metric(label, "–" if "nan" in value else value.replace("-", "−"))
                st.caption(line)


def _explanation(trace: BlockTrace) -> str:
    spec = trace.spec
    if spec.shortcut is None:
        return "Without a shortcut the whole gradient at x comes through F."
    if spec.shortcut:
        return "This shortcut has layers, so the gradient at the sum changes on its way to x."
    words = (
        "Read the figure from out back to x. ⊕ copies the gradient to both paths. Through the "
        "shortcut it reaches x unchanged, for any F (He et al. 2016, eq. 5); through the branch it "
        "is multiplied by the transposed Jacobian of F. At x the two parts are added."
    )
    if spec.last_relu_input == "add":
        words += (
            " The last ReLU is the only operation on the identity path: where it zeroed the sum, "
            "the gradient is 0."
        )
    return words


def _remarks(split: GradientSplit) -> list[str]:
    """Return sentences about this block and mode."""
    trace, words = split.trace, []
    conv = dict(trace.spec.branch).get("conv1")
    is_shifted = isinstance(conv, Conv) and conv.bias != 0
    if is_shifted and "bn1" in trace.norms and not trace.use_running_average:
        words.append(
            "In train mode bn1 subtracts the batch mean, and conv1's bias with it, so this bias "
            "changes nothing. Shift bn1 instead, or set the mode to eval."
        )
    if split.total.any() and not split.residual.any():
        words.append("The gradient through F is 0: all of it comes through the shortcut.")
    return words


def _show_influences(
    found: dict[str, Influence],
    trace: BlockTrace,
    display: DisplaySettings,
    pixel: tuple[int, int, int],
) -> None:
    row, col, channel = pixel
    st.markdown(f"**Effective receptive field** of out[{row}, {col}], channel {channel}")
    titles = {"block": trace.spec.title, "without_shortcut": "without the shortcut"}
    named = {titles[name]: each for name, each in found.items()}
    figure = influence_layouts(named, theme=display.theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="influence",
        theme=display.theme,
        label=f"Maps of how much each pixel of x influences out[{row}, {col}], channel {channel}: "
        f"{', '.join(named)}.",
    )
    st.caption(
        "Σ over channels of |∂out/∂x|, on a scale of powers of ten, after Luo et al. 2016. Frame: "
        "the theoretical receptive field. " + _explain_influence(trace, found["block"])
    )


def _explain_influence(trace: BlockTrace, found: Influence) -> str:
    """Return a sentence on where one pixel's gradient goes, and why."""
    if not np.isfinite(found.values).all():
        return "The gradient is not finite here."
    if not found.values.any():
        reason = (
            "the last ReLU zeroed it" if trace.spec.last_relu_input else "no value of x changes it"
        )
        return f"The gradient of this pixel is 0 everywhere: {reason}."
    if found.outside == 0:
        why = ": the running statistics are constants" if trace.use_running_average else ""
        return f"The gradient outside it is 0{why if trace.norms else ''}."
    if not trace.norms:
        return f"{found.outside:.1%} of the influence lies outside it."
    return (
        f"Train mode: the batch statistics are computed from all pixels, so this pixel depends on "
        f"every pixel of x; {found.outside:.1%} of the influence lies outside the receptive field. "
        "In eval mode none of it does."
    )
