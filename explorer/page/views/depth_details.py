"""Details of the Depth view: one block of the stack, ablation, and gradients along paths."""

import numpy as np
import streamlit as st

from explorer.analysis.path_shares import path_shares
from explorer.engine.forward import trace_model
from explorer.figures.depth_ablation import ablation_layouts
from explorer.figures.depth_paths import paths_layouts
from explorer.links.stage_link import PanelBlock
from explorer.page.bar import draw_bar
from explorer.page.cache import get_or_compute
from explorer.page.component import current_theme, linked_figure
from explorer.page.controls import integer_input, optional_segmented_choice, segmented_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.jobs import job_place
from explorer.page.link_state import setting
from explorer.page.stacks import StackPair
from explorer.page.views.forward_details import draw_block
from explorer.page.views.number_words import number_text
from explorer.page.views.subject import Subject
from explorer.records import AblationKind, BlockTrace

KEY = "depth_block"
TITLES = {"one_block": "One block", "ablation": "Ablation", "paths": "Paths"}
_MARKED = "marked_block"


def chosen_block(depth: int) -> tuple[str, int] | None:
    """Return the stack and the block, counted from 1, that the details show; None for none."""
    marked, stack = None, setting("stack")
    if setting("depth_details") == "one_block" and stack:
        marked = stack, min(setting("block_number") or 1, depth)
    st.session_state[_MARKED] = marked
    return marked


@st.fragment
def view(stacks: StackPair) -> None:
    """Draw the control and the selected details."""
    chosen = optional_segmented_choice("Details", tuple(TITLES), "depth_details", TITLES)
    try:
        if chosen == "one_block":
            _one_block(stacks)
        elif chosen == "ablation":
            _ablation(stacks)
        elif chosen == "paths":
            _paths(stacks)
    except PROBLEMS as problem:
        show_problem(problem, "depth details")


def _one_block(stacks: StackPair) -> None:
    bar = draw_bar()
    with bar.experiment:
        number_from_1 = integer_input("Block", 1, stacks.depth, key="block_number", width=140)
        which = segmented_choice("Stack", ("residual", "plain"), key="stack")
    if st.session_state.get(_MARKED) != (which, number_from_1):
        st.rerun()  # the chart, which is outside of this fragment, marks the block
    shown = stacks.curves()
    if shown is None:
        return
    record, index, experiment = shown.value[which == "plain"], number_from_1 - 1, stacks.experiment

    def compute() -> BlockTrace:
        stack = stacks.stack()
        model = (stack.without_shortcut() if which == "plain" else stack).model(index)
        return trace_model(
            model, record.inputs[index], use_running_average=experiment.use_running_average
        )

    key = stacks.key("block of a stack", which, index)
    trace = get_or_compute(
        key,
        compute,
        private=experiment.private,
        placeholder=st.empty(),
        message="Running the block",
    )
    source = f"the output of block {index}" if index else "the input x"
    weights = f"Its weights have seed {record.seeds[index]}" if record.seeds else "It is trained"
    draw_block(
        KEY,
        [PanelBlock(trace)],
        Subject(trace, key, experiment.private),
        bar,
        caption=f"Block {index + 1} of the first run. {weights}; its input is {source}.",
    )


def _ablation(stacks: StackPair) -> None:
    kind: AblationKind = segmented_choice("Change", ("delete", "swap"), key="ablation")
    place = job_place()
    shown = stacks.ablations(kind, place)
    if shown is None:
        return
    records = shown.value
    theme = current_theme("ablation_figure")
    change = {"delete": "deleted", "swap": "swapped with the next"}[kind]
    figure = ablation_layouts(*records, theme=theme)
    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key="ablation_figure",
        theme=theme,
        stale=shown.is_stale,
        label=f"Curves of the output's change by the block that is {change}, in the residual and "
        "in the plain stack.",
    )
    means = [float(np.mean(record.change)) if record.change.size else np.nan for record in records]
    if not shown.is_stale:
        place.markdown(
            f"Mean change: {number_text(means[0], 2)} of the output's norm with shortcuts, "
            f"{number_text(means[1], 2)} without."
        )
    st.caption(
        "The change is that of the residual stream before the head; the Network view shows the "
        "test accuracy."
        if stacks.is_trained
        else "In trained networks, deleting one block changes the error of a residual network "
        "little and that of a plain network a lot (Veit et al. 2016, who call it a lesion "
        "study). Here the weights are untrained, and the change is that of the output, not of "
        "the error."
    )


def _paths(stacks: StackPair) -> None:
    place = job_place()
    shown = stacks.paths(place)
    if shown is None:
        return
    record = shown.value
    theme = current_theme("paths_figure")
    figure = paths_layouts(record, theme=theme)
    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key="paths_figure",
        theme=theme,
        stale=shown.is_stale,
        label="Three curves over the length of paths: how many paths there are, the gradient along "
        "one, and the gradient along all of a length.",
    )
    shares = path_shares(record)
    mean_length = float(shares @ np.arange(shares.size) / (shares.sum() or np.nan))
    if not shown.is_stale:
        place.markdown(
            f"The mean length of all paths is {record.depth / 2:.1f} blocks; weighted by the norms "
            f"of their gradients it is {number_text(mean_length, 1)}."
        )
    st.caption(
        f"Through n = {record.depth} blocks there are 2ⁿ paths, most of them about n/2 blocks "
        "long. Veit et al. 2016 "
        "(Fig. 6) find that in a trained network the gradient comes from short paths. For each "
        "length shown, 16 paths are sampled; bars are standard errors. "
        + (
            ""
            if shares.size == record.lengths.size
            else "Norms of the lengths in between are interpolated. "
        )
        + "Norms are added, which ignores cancellation between paths."
    )
