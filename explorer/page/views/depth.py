"""The Depth view: a stack of blocks, with the shortcut and without it."""

from dataclasses import replace

import streamlit as st

from explorer.engine.stack import MAX_DEPTH, MAX_RUNS
from explorer.figures.depth import SUBTITLES, curves_layouts
from explorer.model.variants import V1, VARIANTS
from explorer.page.component import current_theme, linked_figure
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.experiment import ONE_IMAGE, Experiment, Result
from explorer.page.stacks import StackPair
from explorer.page.views import depth_details
from explorer.page.views.trend_captions import trend_captions


def view(experiment: Experiment, result: Result) -> None:
    """Draw the view of one experiment."""
    if experiment.image is not None:
        st.caption(ONE_IMAGE)
        experiment = experiment.alone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = integer_input("Blocks", 1, MAX_DEPTH, 32, key="depth", width=140)
        runs = integer_input(
            "Runs",
            1,
            MAX_RUNS,
            8,
            key="runs",
            width=140,
            help="Every run has its own weights. With runs and blocks counted from 1, the seed of "
            "block l in run s is the seed of the weights plus 1000·(s − 1) + l − 1.",
        )
        norm = segmented_choice("BatchNorm", ("on", "off"), key="batch_norm")
        after = segmented_choice("ReLU after the sum", ("on", "off"), key="last_relu")
    spec = V1 if norm == "on" else VARIANTS["no_bn"]
    if after == "off":
        spec = replace(spec, after=())
    stacks = StackPair(experiment, spec, depth, runs)
    records = stacks.curves()
    if records is None:
        return
    residual, plain_network = records
    theme = current_theme("curves")
    figure = curves_layouts(residual, plain_network, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="curves",
        theme=theme,
        label=f"Curves over {depth} blocks, of the residual and of the plain stack: "
        f"{', '.join(SUBTITLES)}.",
    )
    for words in trend_captions(residual, plain_network):
        st.caption(words)
    if experiment.use_running_average and norm == "on":
        st.caption(
            "Eval mode: the running statistics of every block are fresh, mean 0 and variance 1, "
            "regardless of warm-up passes."
        )
    depth_details.view(stacks)
