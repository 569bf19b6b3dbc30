"""The Train view: two networks, trained side by side."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.training import checked_at
from explorer.figures.training_curves import TrainingCurve, training_curves_layouts
from explorer.page.component import current_theme, linked_figure
from explorer.page.final_loss import LAST, final_loss
from explorer.page.network_controls import TITLES
from explorer.page.plain_text import show_message
from explorer.page.runs import find_runs, histories, train_pair, training_of
from explorer.page.trainings import Pair, Training, current_training
from explorer.page.views import train_details

KEY = "training_curves"
SECONDS = 0.5  # between two drawings of the curves while the networks train
_EMPTY: Mapping[str, np.ndarray] = MappingProxyType(
    {name: np.zeros(0, np.float32) for name in ("train loss", "test accuracy")}
)


def view(pair: Pair, place: DeltaGenerator) -> None:
    """Draw the view of one pair; it needs no controls at `place`."""
    training = training_of(pair)
    is_running = training is not None and training.is_running
    st.fragment(_progress, run_every=SECONDS if is_running else None)(pair, is_running)
    train_details.view(pair, None if is_running else find_runs(pair))


def _progress(pair: Pair, was_running: bool) -> None:
    """Draw buttons, curves and numbers; run the page again once the training has ended."""
    training = training_of(pair)
    is_running = training is not None and training.is_running
    if was_running != is_running:
        st.rerun()  # with the other period, and with or without details
    found = histories(pair)
    _buttons(pair, training, is_trained=bool(found) and not is_running)
    if training is not None and training.problem:
        show_message("error", training.problem)
    theme = current_theme(KEY)
    curves = {
        TITLES[settings.variant]: TrainingCurve(
            history, checked_at(settings, history), settings.steps
        )
        for settings, history in zip(pair.settings, found or (_EMPTY, _EMPTY), strict=True)
    }
    figure = training_curves_layouts(curves, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key=KEY,
        theme=theme,
        label="Training loss and test accuracy of both networks over the steps.",
    )
    if found and all(history["train loss"].size for history in found):
        st.caption(_words(pair, found))
    st.caption(f"Pictures: {pair.dataset.source}")


def _buttons(pair: Pair, training: Training | None, is_trained: bool) -> None:
    other = current_training()
    with st.container(horizontal=True, vertical_alignment="center"):
        if training is not None and training.is_running:
            st.button("Stop", on_click=training.stop, key="stop_training")
            if training.is_waiting:
                st.caption("Waiting: two other trainings run on this server.")
            else:
                st.caption(f"Step {training.done} of {pair.settings[0].steps}.")
            return
        if training is not None and training.can_continue:
            st.button("Continue", type="primary", on_click=training.resume, key="resume_training")
        st.button(
            "Train again" if is_trained else "Train",
            type="secondary" if is_trained else "primary",
            on_click=train_pair,
            args=(pair,),
            key="start_training",
        )
        if other is not None and other.is_running:
            st.caption("Networks with other settings are being trained; this would stop them.")


def _words(pair: Pair, found: tuple[Mapping[str, np.ndarray], ...]) -> str:
    """Return a sentence on what was measured."""
    parts = []
    for settings, history in zip(pair.settings, found, strict=True):
        accuracy, done = history["test accuracy"], len(history["train loss"])
        layers = 2 * settings.blocks + 2
        words = (
            f"Within {done} steps the network “{TITLES[settings.variant]}” of {layers} layers "
            f"reaches a training loss of {final_loss(history):.3f}"
        )
        if accuracy.size:
            words += f" and a test accuracy of {accuracy[-1]:.3f}"
        parts.append(f"{words}.")
    parts.append(
        f"The loss is the mean over the last {LAST} steps. This is one seed; docs/training.md has "
        "the spread over five seeds, for the digits and the default settings."
    )
    return " ".join(parts)
