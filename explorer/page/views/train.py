"""The Train view: two networks, trained side by side."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
import streamlit as st

from explorer.engine.training import checked_at
from explorer.engine.training_settings import TrainingSettings
from explorer.export.tables import training_csv
from explorer.figures.training_curves import TrainingCurve, training_curves_layouts
from explorer.page.bar import Bar
from explorer.page.compile_ahead import compile_default_networks
from explorer.page.component import current_theme, linked_figure
from explorer.page.export_control import Offer, export, is_exporting
from explorer.page.final_loss import LAST, final_loss
from explorer.page.network_controls import TITLES
from explorer.page.plain_text import show_message
from explorer.page.runs import find_runs, histories, train_pair, training_of
from explorer.page.trainings import Pair, Training, current_training
from explorer.page.views import train_details

KEY = "training_curves"
# Between two drawings of the curves while the networks train: until the first point, and then.
FIRST_SECONDS, SECONDS = 0.5, 1.0
_EMPTY: Mapping[str, np.ndarray] = MappingProxyType(
    {name: np.zeros(0, np.float32) for name in ("train loss", "test accuracy")}
)


def view(pair: Pair, bar: Bar) -> None:
    """Draw the view of one pair."""
    seconds = _period(pair)
    st.fragment(_progress, run_every=seconds)(pair, seconds)
    if is_exporting(bar) and not seconds:
        _export(pair, bar)
    train_details.view(pair, None if seconds else find_runs(pair))
    compile_default_networks()


def _export(pair: Pair, bar: Bar) -> None:
    """Draw what can be saved of both trainings."""
    found = histories(pair)
    if not found:
        return
    tables = {
        TITLES[settings.variant]: (history, checked_at(settings, history))
        for settings, history in zip(pair.settings, found, strict=True)
    }
    settings = pair.settings[0]
    size = f"{settings.blocks} blocks, {settings.steps} steps, seed {settings.seed}"
    title = f"Residual and plain network: {size}"
    name = f"residual-training-{settings.blocks}-blocks-seed-{settings.seed}"
    export(bar, name, title, [Offer("Curves", "csv", partial(training_csv, tables))])


def _period(pair: Pair) -> float | None:
    """Return the seconds between two drawings; None while the networks do not train."""
    training = training_of(pair)
    if training is None or not training.is_running:
        return None
    return SECONDS if training.is_waiting or training.done else FIRST_SECONDS


def _progress(pair: Pair, seconds: float | None) -> None:
    """Draw buttons, curves and numbers; run the page again where another period is due."""
    if seconds != _period(pair):
        st.rerun()  # at the end of the training also with details
    training = training_of(pair)
    found = histories(pair)
    _buttons(pair, training, is_trained=bool(found) and not seconds)
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
        figure.spec(),
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
                words = "Stopping after this step" if training.is_stopping else "Training"
                st.caption(
                    f"{words}: step {training.done} of {pair.settings[0].steps}. It goes on while "
                    "you look at other views; reloading the page stops it."
                )
            return
        if training is not None and training.can_continue:
            st.button("Continue", type="primary", on_click=training.resume, key="resume_training")
            st.caption(f"Stopped at step {training.done} of {pair.settings[0].steps}.")
        st.button(
            "Train again" if is_trained else "Train",
            help="The same settings give the same networks; another seed gives others."
            if is_trained
            else None,
            type="secondary" if is_trained else "primary",
            on_click=train_pair,
            args=(pair,),
            key="start_training",
        )
        if other is not None and other.is_running:
            st.caption("Networks with other settings are being trained; Train would stop them.")


def _words(pair: Pair, found: tuple[Mapping[str, np.ndarray], ...]) -> str:
    """Return a sentence on what was measured."""
    done = min(len(history["train loss"]) for history in found)
    steps = "step" if done == 1 else f"{done} steps"
    parts = []
    for settings, history in zip(pair.settings, found, strict=True):
        loss = final_loss({"train loss": history["train loss"][:done]})
        words = (
            f"Within {steps} the network “{TITLES[settings.variant]}” of "
            f"{2 * settings.blocks + 2} layers reaches a training loss of {loss:.3f}"
        )
        if history["test accuracy"].size:
            words += f" and a test accuracy of {history['test accuracy'][-1]:.1%}"
        parts.append(f"{words}.")
    if done > 1:
        parts.append(f"The loss is the mean over the last {min(LAST, done)} steps.")
    if done == pair.settings[0].steps and _is_in_table(pair):
        parts.append("This is one seed; docs/training.md has the spread over five.")
    return " ".join(parts)


def _is_in_table(pair: Pair) -> bool:
    """Return whether docs/training.md has networks like these, of other seeds."""
    table = {
        replace(TrainingSettings(variant=variant), blocks=blocks)
        for variant in ("v1", "no_skip")
        for blocks in train_details.DEPTHS
    }
    alike = {replace(settings, seed=0) for settings in pair.settings}
    return pair.dataset.key == ("digits",) and alike <= table
