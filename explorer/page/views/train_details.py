"""Details of the Train view: the gradient by block, and training against depth."""

from dataclasses import replace

import streamlit as st

from explorer.analysis.training_history import gradient_norms_at
from explorer.engine.training_run import TrainingRun
from explorer.figures.block_gradients import BlockGradients, block_gradients_layouts
from explorer.figures.degradation import DepthSweep, degradation_layouts
from explorer.page.component import current_theme, linked_figure
from explorer.page.controls import option_slider, optional_segmented_choice
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.final_loss import final_loss
from explorer.page.network_controls import TITLES
from explorer.page.plain_text import show_message
from explorer.page.runs import find_run, find_runs, train_pair
from explorer.page.trainings import Pair, current_training

DEPTHS = 3, 8, 16, 27
_SWEEPING = "depth_sweep"


def view(pair: Pair, runs: tuple[TrainingRun, ...] | None) -> None:
    """Draw the control and the selected details."""
    chosen = optional_segmented_choice(
        "Details",
        ("gradients", "depths"),
        key="train_details",
        titles={"gradients": "gradient by block", "depths": "loss against depth"},
    )
    try:
        if chosen == "gradients" and runs is not None:
            _gradients(runs)
        elif chosen == "depths":
            is_running = (training := current_training()) is not None and training.is_running
            st.fragment(_depths, run_every=1 if is_running else None)(pair, is_running)
    except PROBLEMS as problem:
        show_problem(problem, "train details")


def _gradients(runs: tuple[TrainingRun, ...]) -> None:
    steps = [step for step in runs[0].snapshots if all(step in run.networks for run in runs)]
    step = option_slider("Step of the gradient", steps, steps[0], key="gradient_step")
    found = {
        TITLES[run.settings.variant]: BlockGradients(
            run.settings.blocks, {each: gradient_norms_at(run.history, each) for each in steps}
        )
        for run in runs
    }
    theme = current_theme("block_gradients")
    figure = block_gradients_layouts(found, step, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="block_gradients",
        theme=theme,
        label=f"Norm of the training loss's gradient by block, at step {step}.",
    )
    st.caption(
        "The norm of the gradient of the training loss with respect to the parameters of each "
        "block, for the batch of the next step; at the last step, for that step's own batch."
    )


def _depths(pair: Pair, was_running: bool) -> None:
    """Draw the final loss of every depth that is trained, and train the others on request."""
    pairs = {depth: _of_depth(pair, depth) for depth in DEPTHS}
    missing = [each for each in pairs.values() if find_runs(each) is None]
    training = current_training()
    is_running = training is not None and training.is_running
    if st.session_state.get(_SWEEPING) and not is_running:
        failed = training is not None and training.runs is None
        if missing and not failed:
            train_pair(missing[0])
            st.rerun()
        else:
            st.session_state[_SWEEPING] = False
    if is_running != was_running:
        st.rerun()
    found = {
        TITLES[settings.variant]: DepthSweep(
            DEPTHS, tuple(_loss(each, index) for each in pairs.values())
        )
        for index, settings in enumerate(pair.settings)
    }
    theme = current_theme("degradation")
    figure = degradation_layouts(found, theme=theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="degradation",
        theme=theme,
        label="Final training loss of both networks against the number of blocks.",
    )
    if is_running and training is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", on_click=_stop, key="stop_sweep")
            blocks = training.pair.settings[0].blocks
            st.caption(f"Training {blocks} blocks: step {training.done}.")
    elif missing:
        if training is not None and training.problem and training.pair.key != pair.key:
            show_message("error", training.problem)
        words = ", ".join(str(each.settings[0].blocks) for each in missing)
        st.button(
            f"Train the missing depths: {words}",
            on_click=_start,
            args=(missing[0],),
            key="start_sweep",
        )
    st.caption(
        "Depth is compared at the same number of steps, seed and learning rate. That a deeper "
        "plain network has a larger training loss is the degradation of He et al. 2015, Fig. 1 "
        "and 4; here the data set, the networks and the budget are small. With the default "
        "settings the plain network's loss was the larger one at each of these depths and for each "
        "of five seeds (docs/training.md)."
    )


def _of_depth(pair: Pair, blocks: int) -> Pair:
    return replace(pair, settings=tuple(replace(each, blocks=blocks) for each in pair.settings))


def _loss(pair: Pair, index: int) -> float | None:
    run = find_run(pair, index)
    return None if run is None else final_loss(run.history)


def _start(first: Pair) -> None:
    st.session_state[_SWEEPING] = True
    train_pair(first)


def _stop() -> None:
    st.session_state[_SWEEPING] = False
    if (training := current_training()) is not None:
        training.stop()
