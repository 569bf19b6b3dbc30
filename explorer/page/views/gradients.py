"""The Gradients view: the gradient at x, by path."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.summary import GradientNumbers, gradient_numbers
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.links.stage_link import PanelBlock
from explorer.model.layers import Conv
from explorer.model.spec import BlockSpec
from explorer.page import stage_panel
from explorer.page.bar import Bar, part_of_row
from explorer.page.cache import get_or_compute
from explorer.page.controls import segmented_choice
from explorer.page.display import DisplaySettings
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import ONE_IMAGE, Experiment, Result, run, start_part
from explorer.page.export_block import export_gradient
from explorer.page.last_result import is_stale, recall, remember
from explorer.page.views.effective_field import influences, show_influences
from explorer.page.views.variant_controls import variant_controls
from explorer.records import BlockTrace, CotangentKind, GradientSplit

KEY = "gradients"
COTANGENTS: Final[Mapping[CotangentKind, str]] = {
    "ones": "ones",
    "random": "random",
    "pixel": "pixel",
    "error": "squared error",
}


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    _of_variant(experiment, bar)


@st.fragment
def _of_variant(experiment: Experiment, bar: Bar) -> None:
    """Draw the choice of the variant, and all that depends on it."""
    if start_part(experiment) is None:
        return
    if experiment.image is not None:
        st.caption(ONE_IMAGE)
        experiment = experiment.alone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row, end = part_of_row(), part_of_row()
    with row:
        left, right = part_of_row(), part_of_row()
    with left:
        spec, warmup_passes = variant_controls(experiment, is_own_default=True, end=end)
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
        found = influences(experiment, split, pixel, placeholder) if pixel else {}
    except PROBLEMS as problem:
        show_problem(problem, "gradient")
        return
    if stale or is_stale():
        stage_panel.draw_gradient(KEY, split, display, stale=stale)
        return
    stage_panel.draw_gradient(KEY, split, display, is_of_channel=pixel is not None)
    export_gradient(bar, split, experiment, display)
    numbers = gradient_numbers(split)
    st.markdown(_summary(numbers, trace.spec))
    if pixel and not display.pin:
        st.caption(_choice(trace, pixel))
    st.caption(_explanation(trace))
    for words in _remarks(split):
        st.caption(words)
    _checks(numbers)
    if pixel:
        show_influences(found, trace, display, pixel)


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


def _summary(numbers: GradientNumbers, spec: BlockSpec) -> str:
    """Return sentences on how much of the gradient at x comes on which path."""
    if not (math.isfinite(numbers.identity) and math.isfinite(numbers.residual)):
        return "The gradient is not finite here."
    if spec.shortcut is None:
        return f"The gradient at x has the norm {numbers.residual:.4g}."
    words = (
        f"The gradient at x has a part through the shortcut, of norm {numbers.identity:.4g}, and "
        f"a part through F, of norm {numbers.residual:.4g}."
    )
    if math.isfinite(numbers.identity_share):
        words += (
            f" Of their squared norms, {numbers.identity_share:.0%} comes through the shortcut."
        )
    return words


def _checks(numbers: GradientNumbers) -> None:
    """Draw the same numbers, and the one that must be 0."""
    cards = [
        ("‖identity part‖", f"{numbers.identity:.4g}", "through the shortcut"),
        ("‖residual part‖", f"{numbers.residual:.4g}", "through F"),
        ("Identity's share", f"{numbers.identity_share:.0%}", "of the squared norms"),
        ("Cosine", f"{numbers.cosine:.3f}", "between the parts"),
        ("Sum of parts − total", f"{numbers.error:.2g}", "0, up to rounding"),
    ]
    with st.expander("Checks"), st.container(horizontal=True):
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
