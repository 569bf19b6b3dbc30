"""The Depth view: a stack of blocks, with the shortcut and without it."""

from dataclasses import replace
from functools import partial

import streamlit as st

from explorer.engine.network import Network
from explorer.engine.stack import MAX_DEPTH, MAX_RUNS
from explorer.errors import InputError
from explorer.export.tables import depth_csv
from explorer.figures.depth import curve_names
from explorer.model.variants import V1, VARIANTS
from explorer.page.bar import Bar
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.experiment import ONE_IMAGE, Experiment, Result
from explorer.page.export_control import Offer, export, is_exporting
from explorer.page.jobs import job_place
from explorer.page.last_result import recall, remember, set_stale
from explorer.page.stacks import StackPair
from explorer.page.views import depth_details
from explorer.page.views.depth_chart import draw_curves
from explorer.page.views.depth_verdicts import verdict
from explorer.page.views.trend_captions import trend_caption
from explorer.records import DepthRecord


def view(experiment: Experiment, result: Result, bar: Bar) -> None:
    """Draw the view of one experiment."""
    notes = []
    if experiment.image is not None:
        notes.append(ONE_IMAGE)
        experiment = experiment.of_stack() if experiment.network else experiment.alone()
    network = experiment.network
    if experiment.block is not None and network is None:
        raise InputError(
            "This view stacks blocks with fresh weights, or those of a network trained here; the "
            "blocks of a checkpoint have several shapes. Choose “seed” or “trained” under "
            "Weights."
        )
    stacks = _untrained(experiment, bar) if network is None else _trained(experiment, network)
    names = [name.replace(" ", "_") for name in curve_names(stacks.spec)]
    with st.container(gap=None):
        curve = segmented_choice("Curve", names, "curve", label_visibility="collapsed")
        curve = curve.replace("_", " ")
        place = job_place()
        shown = stacks.curves(place)
        if shown is None:
            return
        if shown.is_stale:
            set_stale(True)
            stacks = recall("stacks")
        else:
            remember("stacks", replace(stacks, experiment=stacks.experiment.without_file()))
            place.markdown(verdict(curve, *shown.value))
        draw_curves(*shown.value, curve, depth_details.chosen_block(stacks.depth))
    if is_exporting(bar):
        _export(stacks, *shown.value, bar)
    depth_details.view(stacks)
    if not stacks.is_trained:
        notes += _untrained_notes(stacks, trend_caption(curve, *shown.value))
    else:
        notes.append(
            "The stack is the blocks of the trained network, and the plain stack is the same "
            "blocks without their shortcuts, for which they were not trained. x is the residual "
            "stream after the stem. The dashed trends are those of untrained stacks."
        )
    for note in notes:
        st.caption(note)


def _export(stacks: StackPair, residual: DepthRecord, plain: DepthRecord | None, bar: Bar) -> None:
    """Draw what can be saved of two stacks."""
    records = {"residual": residual} | ({"plain": plain} if plain else {})
    size = f"{stacks.depth} blocks, {stacks.runs} runs"
    table = Offer("Curves", "csv", partial(depth_csv, records))
    export(bar, f"residual-stack-{stacks.depth}", f"{residual.spec.title}: {size}", [table])


def _untrained(experiment: Experiment, bar: Bar) -> StackPair:
    """Draw the controls of stacks with fresh weights; return them."""
    with bar.experiment:
        depth = integer_input("Blocks", 1, MAX_DEPTH, 32, key="depth", width=130)
        runs = integer_input(
            "Runs",
            1,
            MAX_RUNS,
            8,
            key="runs",
            width=130,
            help="Every run has its own weights. With runs and blocks counted from 1, the seed of "
            "block l in run s is the seed of the weights plus 1000·(s − 1) + l − 1.",
        )
    with bar.more:
        norm = segmented_choice("BatchNorm", ("on", "off"), key="batch_norm")
        after = segmented_choice("ReLU after the sum", ("on", "off"), key="last_relu")
    spec = V1 if norm == "on" else VARIANTS["no_bn"]
    if after == "off":
        spec = replace(spec, after=())
    return StackPair(experiment, spec, depth, runs)


def _untrained_notes(stacks: StackPair, trend: str) -> list[str]:
    notes = [trend] if trend else []
    if stacks.experiment.use_running_average and stacks.spec.norms():
        notes.append(
            "Eval mode: the running statistics of every block are fresh, mean 0 and variance 1, "
            "regardless of warm-up passes."
        )
    notes.append(
        "The weights of these stacks are untrained. Choose “trained” under Weights to see a "
        "trained network's."
    )
    return notes


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
    return StackPair(experiment.of_stack(), experiment.spec, len(network.blocks), 1)
