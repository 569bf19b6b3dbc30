"""The effective receptive field of a pixel: how much each pixel of x influences it."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.receptive_field import Influence, influence
from explorer.engine.forward import trace_model
from explorer.engine.gradients import split_trace
from explorer.figures.influence import influence_layouts
from explorer.page.cache import get_or_compute
from explorer.page.component import linked_figure
from explorer.page.display import DisplaySettings
from explorer.page.experiment import Experiment
from explorer.records import BlockTrace, GradientSplit


def influences(
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


def show_influences(
    found: dict[str, Influence],
    trace: BlockTrace,
    display: DisplaySettings,
    pixel: tuple[int, int, int],
) -> None:
    """Draw the maps of `influences`, with a sentence on them."""
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
