"""What the page shows where a network is not trained yet: an offer to train it."""

import streamlit as st

from explorer.page.plain_text import show_message
from explorer.page.runs import train_pair, training_of
from explorer.page.trainings import Pair


class NotTrained(Exception):
    """The error where the server has no run of a pair."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair


def offer_training(pair: Pair) -> None:
    """Say that the pair is not trained, with a button to train it; show a running training."""
    training = training_of(pair)
    if training is None or not training.is_running:
        if training is not None and training.problem:
            show_message("error", training.problem)
        if training is not None and training.can_continue:
            show_message(
                "info", f"The training is stopped at step {training.done}. Continue it to see it."
            )
            st.button("Continue", type="primary", on_click=training.resume, key="offer_resume")
            return
        show_message(
            "info",
            "This server has no run with these settings: it has not been trained here, or was "
            "dropped. Train both networks to see it; the same settings give the same networks.",
        )
        st.button("Train", type="primary", on_click=train_pair, args=(pair,), key="offer_training")
        return
    st.fragment(_wait, run_every=1)(pair)


def _wait(pair: Pair) -> None:
    """Show the progress, and run the page again at the end."""
    training = training_of(pair)
    if training is None or not training.is_running:
        st.rerun()
    steps = pair.settings[0].steps
    if training.is_waiting:
        st.progress(0.0, "Waiting: two other trainings run on this server.")
    else:
        st.progress(training.done / steps, f"Training: step {training.done} of {steps}")
    st.button("Stop", on_click=training.stop, key="stop_training")
