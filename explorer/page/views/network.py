"""The Network view: the residual stream through a trained network, block by block."""

from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.classification import confusion
from explorer.analysis.colour_limits import Scope
from explorer.analysis.lens import lens_rows
from explorer.export.tables import confusion_csv, lens_csv
from explorer.page.bar import Bar, rest_of_row
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.export_control import Offer, is_exporting
from explorer.page.export_network import export_network
from explorer.page.link_state import control_key, setting
from explorer.page.network_panel import ShownNetwork, network_panel
from explorer.page.network_selection import Selection, network_selection, predictions
from explorer.page.offer_training import NotTrained
from explorer.page.open_block import open_block
from explorer.page.runs import find_runs
from explorer.page.trainings import Pair
from explorer.page.views import network_details

KEY = "network_figure"
PICTURE = 64  # pixels of the page, the width of the picture
SECONDS = 0.8  # between two steps while the snapshots play


def view(pair: Pair, bar: Bar) -> None:
    """Draw the view of one pair.

    Raises:
        NotTrained: the server has no run of this pair.
    """
    if find_runs(pair) is None:
        raise NotTrained(pair)
    selection = network_selection(pair, bar)
    if selection is None:
        st.info("Choose a picture.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(
            _shown(selection.picture.pixels),
            width=PICTURE,
            alt=f"The picture: {selection.picture.title}",
        )
        with st.container(width="content"):
            _play(selection)
        rest_of_row().markdown(_sentences(selection))
    shown = _figure(selection, bar)
    if is_exporting(bar):
        _export(selection, shown, bar)
    _lens(selection)
    network_details.view(selection, shown)


def _export(selection: Selection, shown: ShownNetwork, bar: Bar) -> None:
    trace, dataset = selection.single_trace(), selection.pair.dataset
    predicted = predictions(selection.network, selection.pair)
    counts = confusion(dataset.test_labels, predicted, dataset.classes)
    classes = partial(lens_csv, trace, dataset.classes)
    matrix = partial(confusion_csv, counts, dataset.classes)
    export_network(
        bar,
        f"network-step-{selection.step}",
        trace,
        shown,
        network=selection.title,
        picture=selection.picture.title,
        tables=[
            Offer("Classes after every block", "csv", classes, "-classes"),
            Offer("Confusion matrix", "csv", matrix, "-confusion"),
        ],
    )


def _play(selection: Selection) -> None:
    """Draw the button that plays the snapshots, and go on with the next one while it is on."""
    steps = selection.run.snapshots
    is_playing = st.session_state.get("playing", False)
    st.button(
        "Pause" if is_playing else "Play the training",
        on_click=_toggle_play,
        args=(steps,),
        key="play",
        icon=":material/pause:" if is_playing else ":material/play_arrow:",
    )
    if is_playing:
        st.session_state["is_drawn_now"] = True
        st.fragment(_advance, run_every=SECONDS)(steps, selection.step)


def _toggle_play(steps: tuple[int, ...]) -> None:
    is_playing = not st.session_state.get("playing", False)
    st.session_state["playing"] = is_playing
    if is_playing and setting("net_step") == steps[-1]:
        st.session_state[control_key("net_step")] = steps[0]


def _advance(steps: tuple[int, ...], drawn: int) -> None:
    """Select the next snapshot; not in a run of the whole page, which draws one."""
    if st.session_state.pop("is_drawn_now", False):
        return
    later = [step for step in steps if step > drawn]
    st.session_state["playing"] = len(later) > 1
    if later:
        st.session_state[control_key("net_step")] = later[0]
    st.rerun()


def _sentences(selection: Selection) -> str:
    """Return sentences on the picture, its predicted class, and both networks' test accuracy."""
    dataset = selection.pair.dataset
    labels, label = dataset.test_labels, selection.picture.label
    probabilities = selection.single_trace().probabilities[selection.network.blocks[-1]]
    best = int(probabilities.argmax())
    right = "" if label is None else " (correct)" if label == best else " (wrong)"
    accuracies = []
    for index, run in enumerate(selection.runs):
        if selection.step in run.networks:
            predicted = predictions(run.at(selection.step), selection.pair)
            title = network_details.title_of(selection, index)
            accuracies.append(f"{title} {np.mean(predicted == labels):.1%}")
    return (
        f"{selection.title}; {selection.picture.title}: classified as {dataset.classes[best]} "
        f"with {probabilities[best]:.0%}{right}. "
        f"Test accuracy: {'; '.join(accuracies)}."
    )


def _shown(pixels: np.ndarray) -> np.ndarray:
    """Return a picture from black to white with enlarged pixels; in colour if it has three."""
    grey = pixels if pixels.shape[-1] == 3 else pixels.mean(axis=-1, keepdims=True)
    low, high = float(grey.min()), float(grey.max())
    scaled = (grey - low) / (high - low or 1.0)
    factor = -(-2 * PICTURE // max(scaled.shape[:2]))
    return scaled.repeat(factor, axis=0).repeat(factor, axis=1)


def _figure(selection: Selection, bar: Bar) -> ShownNetwork:
    """Draw the network; return what is shown and clicked."""
    trace = selection.single_trace()
    with bar.display:
        width = selection.network.spec.width
        channel = integer_input("Channel", 0, width - 1, key="channel", width=140)
        show = segmented_choice("Show", ("channel", "mean"), key="show")
        scope: Scope = segmented_choice(
            "Colour scale",
            ("block", "stage", "map"),
            key="scope",
            titles={"block": "network", "stage": "stage", "map": "map"},
            help="What shares one colour limit: all thumbnails, those of F(x) and those of the "
            "stream, or each alone. The limit is min(max |v|, 3·RMS).",
        )
    chosen_channel = None if show == "mean" else channel
    clicked = network_panel(KEY, trace, channel=chosen_channel, scope=scope)
    shown = ShownNetwork(chosen_channel, scope, clicked)
    open_block(shown.clicked, weights="network", key="net_block")
    if trace[selection.network.blocks[0]].spec.shortcut is None:
        st.caption(
            "A plain network has no residual stream: every block replaces the output of the one "
            "before it."
        )
    return shown


def _lens(selection: Selection) -> None:
    rows = lens_rows(selection.single_trace(), selection.pair.dataset.classes)
    st.header("The head after every block", anchor=False)
    table: dict[str, list[str]] = {"after": [row.position for row in rows]}
    for place, words in enumerate(("best class", "second", "third")):
        table[words] = [
            f"{row.classes[place]} ({row.probabilities[place]:.1%})"
            if place < len(row.classes)
            else ""
            for row in rows
        ]
    st.table(table, hide_index=True, border="horizontal", width="content")
    st.caption(
        "The head averages the stream over all pixels and maps it linearly to the classes. It was "
        "trained for the stream after the last block; here it is applied to the "
        "stream after every block."
        + (
            " All blocks end in a ReLU, as the last one does."
            if selection.network.spec.block.last_relu_input
            else ""
        )
    )
