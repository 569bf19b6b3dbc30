"""The Network view of a checkpoint: its blocks on the user's picture."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.colour_limits import Scope
from explorer.analysis.network_health import HealthRow, network_health
from explorer.engine.class_gradient import class_gradient
from explorer.export.tables import health_csv, lens_csv
from explorer.page.bar import Bar
from explorer.page.cache import get_or_compute
from explorer.page.checkpoint_selection import CheckpointSelection, checkpoint_selection
from explorer.page.checkpoints import NoCheckpoint, ask_for_checkpoint
from explorer.page.controls import integer_input, optional_segmented_choice, segmented_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.export_control import Offer
from explorer.page.export_network import export_network
from explorer.page.linked_file import ask_for_file
from explorer.page.network_panel import ShownNetwork, network_panel
from explorer.page.open_block import open_block
from explorer.page.plain_text import show_message, show_note
from explorer.page.views.checkpoint_expected import expected_values
from explorer.page.views.compare_checkpoint import compare_checkpoint
from explorer.records import NetworkGradient, NetworkTrace

KEY = "checkpoint_figure"
BEST = 5  # classes
STEP_WIDTH = 104  # pixels of the page, of the picture after each step


def view(bar: Bar) -> None:
    """Draw the view."""
    try:
        with st.sidebar:
            selection = checkpoint_selection()
    except NoCheckpoint:
        ask_for_checkpoint()
        return
    if selection is None:
        ask_for_file()
        return
    trace = selection.trace()
    _head(selection, trace)
    shown = _figure(trace)
    open_block(shown.clicked, weights="checkpoint", key="checkpoint_block")
    classes = partial(lens_csv, trace, selection.classes)
    export_network(
        bar,
        "checkpoint",
        trace,
        shown,
        network=selection.title,
        picture=selection.picture_title,
        tables=[
            Offer("Classes after every block", "csv", classes, "-classes"),
            Offer("Health", "csv", lambda: health_csv(network_health(trace)), "-health"),
        ],
    )
    _details(selection, trace, shown)


def _head(selection: CheckpointSelection, trace: NetworkTrace) -> None:
    """Draw the steps of the preprocessing and the best classes."""
    left, right = st.columns([3, 2])
    steps = {
        "resized": selection.picture.resized,
        "cropped": selection.picture.cropped,
        "normalised": selection.picture.normalised,
    }
    with left, st.container(horizontal=True):
        for name, array in steps.items():
            st.image(_shown(array), caption=name, width=STEP_WIDTH, alt=f"The {name} picture")
    with right:
        order = np.argsort(-trace.logits, kind="stable")[:BEST]
        probabilities = _probabilities(trace)
        st.caption("Best classes")
        # A data frame shows names as they are; a table would read them as Markdown.
        st.dataframe(
            {
                "class": [selection.classes[label] for label in order],
                "probability": [f"{probabilities[label]:.1%}" for label in order],
                "logit": [f"{trace.logits[label]:.2f}" for label in order],
            },
            hide_index=True,
        )
    normalised = selection.picture.normalised
    low, high = (f"{value:.1f}".replace("-", "−") for value in (normalised.min(), normalised.max()))
    resized, cropped = (
        "×".join(map(str, array.shape[:2]))
        for array in (selection.picture.resized, selection.picture.cropped)
    )
    show_note(
        f"{selection.title}: {len(trace.blocks)} blocks, on {selection.picture_title}, resized to "
        f"{resized} and cropped to {cropped}; normalised, its values are from {low} to {high}."
    )


def _probabilities(trace: NetworkTrace) -> np.ndarray:
    return trace.probabilities[list(trace.stream)[-1]]


def _shown(array: np.ndarray) -> np.ndarray:
    """Return a picture from black to white, in colour if it has three channels."""
    shown = array if array.shape[-1] == 3 else array.mean(axis=-1, keepdims=True)
    low, high = float(shown.min()), float(shown.max())
    if low >= 0 and high <= 1:
        return shown
    return (shown - low) / (high - low or 1.0)


def _figure(trace: NetworkTrace) -> ShownNetwork:
    """Draw the network; return what is shown and clicked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = segmented_choice("Show", ("mean", "channel"), key="checkpoint_show")
        most = min(stream.shape[-1] for stream in trace.stream.values())
        channel = None
        if show == "channel":
            channel = integer_input("Channel", 0, most - 1, key="channel", width=140)
        scope: Scope = segmented_choice(
            "Colour scale",
            ("map", "stage", "block"),
            key="checkpoint_scope",
            titles={"block": "network", "stage": "stage", "map": "map"},
            help="What shares one colour limit: each thumbnail alone, those of F(x) and those of "
            "the stream, or all. The limit is min(max |v|, 3·RMS).",
        )
    clicked = network_panel(KEY, trace, channel=channel, scope=scope)
    return ShownNetwork(channel, scope, clicked)


def _details(selection: CheckpointSelection, trace: NetworkTrace, shown: ShownNetwork) -> None:
    chosen = optional_segmented_choice(
        "Details",
        ("health", "gradient", "compare", "expected", "file"),
        key="checkpoint_details",
        titles={
            "health": "health",
            "gradient": "gradient of a class",
            "compare": "compare",
            "expected": "expected values",
            "file": "the file",
        },
    )
    try:
        if chosen == "health":
            _health(trace)
        elif chosen == "gradient":
            _gradient(selection, trace)
        elif chosen == "compare":
            compare_checkpoint(selection, channel=shown.channel, scope=shown.scope)
        elif chosen == "expected":
            expected_values(selection)
        elif chosen == "file":
            _file(selection)
    except PROBLEMS as problem:
        show_problem(problem, "checkpoint details")


def _health(trace: NetworkTrace) -> None:
    health = network_health(trace)
    for remark in health.remarks:
        show_message("warning", remark)
    st.dataframe([_health_row(row) for row in health.rows], hide_index=True, height="content")
    conspicuous = sum(bool(row.remarks) for row in health.rows)
    st.caption(
        f"{conspicuous} of {len(health.rows)} blocks are conspicuous on this picture."
        if conspicuous
        else "No block is conspicuous on this picture."
    )
    st.caption(
        "Distance: the median over the channels of all norms of |running mean − this picture’s "
        "mean|, in deviations. Dead: channels that are 0 at every pixel of this picture."
    )


def _health_row(row: HealthRow) -> dict[str, Any]:
    return {
        "block": row.name,
        "‖F‖/‖x‖": round(row.ratio, 3),
        "zeroed": round(row.zeroed, 3),
        "dead": row.dead,
        "channels": row.channels,
        "largest |γ|": round(row.gamma, 4),
        "distance": round(row.distance, 2),
        "largest |out|": round(row.largest, 3),
        "conspicuous": "; ".join(row.remarks),
    }


def _gradient(selection: CheckpointSelection, trace: NetworkTrace) -> None:
    best = int(trace.logits.argmax())
    most = selection.network.classes - 1
    label = integer_input("Class", 0, most, best, key="gradient_class", width=160)
    picture, norms = get_or_compute(
        ("class gradient", *selection.key, label),
        lambda: _shown_gradient(
            class_gradient(selection.network, selection.picture.normalised, label)
        ),
        private=selection.private,
        placeholder=st.empty(),
        message="Computing the gradient; the first time its blocks are compiled",
    )
    left, right = st.columns([1, 3])
    with left:
        magnitude = np.abs(picture).max(axis=-1)
        st.image(
            magnitude / (magnitude.max() or 1.0),
            caption=f"largest |∂ logit {label} / ∂ picture| over the channels",
            width="stretch",
            alt=f"Map of the gradient of the logit of class {label} at the picture",
        )
    with right:
        st.dataframe(norms, hide_index=True, height="content")
    st.caption(
        f"The gradient of the logit of class {label}, in eval mode. At every block it is the sum "
        "of the part through the shortcut and the part through F; norms do not add up."
    )


def _shown_gradient(found: NetworkGradient) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return what the page shows and caches: the whole record of ResNet-50 takes 90 MB."""
    norms = [
        {
            "block": name,
            "‖gradient at x‖": float(np.linalg.norm(split.total)),
            "through the shortcut": float(np.linalg.norm(split.identity)),
            "through F": float(np.linalg.norm(split.residual)),
        }
        for name, split in found.blocks.items()
    ]
    return found.picture, norms


def _file(selection: CheckpointSelection) -> None:
    notes = selection.network.settings.get("notes", ())
    for note in notes:
        show_note(note)
    if not notes:
        st.caption("Nothing in the file was ignored, and nothing had to be assumed.")
    st.code(
        "from explorer import load_checkpoint\n\n"
        "trace = load_checkpoint(path).trace(picture)  # picture: (H, W, channels), normalised",
        language="python",
    )
