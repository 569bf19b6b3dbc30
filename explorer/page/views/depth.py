"""The Depth view: a stack of blocks, with the shortcut and without it."""

from dataclasses import replace

import streamlit as st

from explorer.engine.network import Network
from explorer.engine.stack import MAX_DEPTH, MAX_RUNS
from explorer.errors import InputError
from explorer.figures.depth import SUBTITLES, curves_layouts
from explorer.model.variants import V1, VARIANTS
from explorer.page.bar import Bar
from explorer.page.component import current_theme, linked_figure
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.experiment import ONE_IMAGE, Experiment, Result
from explorer.page.stacks import StackPair
from explorer.page.views import depth_details
from explorer.page.views.trend_captions import trend_captions


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    if experiment.image is not None:
        st.caption(ONE_IMAGE)
        experiment = experiment.of_stack() if experiment.network else experiment.alone()
    network = experiment.network
    if experiment.block is not None and network is None:
        raise InputError(
            "This view stacks blocks with fresh weights, or those of a network trained here; the "
            "blocks of a checkpoint have several shapes. Choose “seed” or “trained” under "
            "Weights."
        )
    stacks = _untrained(experiment) if network is None else _trained(experiment, network)
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
        label=f"Curves over {stacks.depth} blocks, of the residual and of the plain stack: "
        f"{', '.join(SUBTITLES)}.",
    )
    if network is None:
        for words in trend_captions(residual, plain_network):
            st.caption(words)
        if experiment.use_running_average and residual.spec.norms():
            st.caption(
                "Eval mode: the running statistics of every block are fresh, mean 0 and variance "
                "1, regardless of warm-up passes."
            )
    depth_details.view(stacks)


def _untrained(experiment: Experiment) -> StackPair:
    """Draw the controls of stacks with fresh weights; return them."""
    st.caption(
        "The weights of these stacks are untrained. Choose “trained” under Weights to see a "
        "trained network's."
    )
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
    return StackPair(experiment, spec, depth, runs)


def _trained(experiment: Experiment, network: Network) -> StackPair:
    """Return the stack of a trained network's blocks.

    Raises:
        InputError: the network has no shortcuts.
    """
    if experiment.spec.shortcut is None:
        raise InputError(
            "The network is plain, and this view compares a network with itself without "
            "shortcuts. Choose the residual network above."
        )
    st.caption(
        "The stack is the blocks of the trained network, and the plain stack is the same blocks "
        "without their shortcuts, for which they were not trained. x is the residual stream after "
        "the stem. The dashed trends are those of untrained stacks."
    )
    return StackPair(experiment.of_stack(), experiment.spec, len(network.blocks), 1)
