"""The page: a title, the controls of the experiment, and one view at a time below them."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.page.bar import Bar
from explorer.page.checkpoints import NoCheckpoint, ask_for_checkpoint
from explorer.page.component import forget_reported
from explorer.page.earlier_results import session_results
from explorer.page.embedding import is_embedded
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.experiment import Experiment, Result, run
from explorer.page.experiment_controls import experiment_controls, network_source
from explorer.page.history import keep_history
from explorer.page.last_result import recall, remember, set_stale
from explorer.page.lecture import keep_lecture, presenter_mode
from explorer.page.lessons import complete_link, place
from explorer.page.link_state import (
    end_navigation,
    forget_settings,
    ignored_parameters,
    update_old_link,
)
from explorer.page.linked_file import ask_for_file
from explorer.page.network_controls import ask_for_dataset, lacks_dataset, network_controls
from explorer.page.offer_training import NotTrained, offer_training
from explorer.page.plain_text import show_message
from explorer.page.reconnect import run_when_reconnected
from explorer.page.run_times import timed_run
from explorer.page.skip_link import add_skip_link
from explorer.page.suggestions import suggest
from explorer.page.title_row import title_row
from explorer.page.trainings import Pair
from explorer.page.views import checkpoint, depth, forward, gradients, network, train, what_if

# Views of one block, and views of a pair of networks.
BLOCK_VIEWS: dict[str, Callable[[Experiment, Result, Bar], None]] = {
    "forward": forward.view,
    "what_if": what_if.view,
    "gradients": gradients.view,
    "depth": depth.view,
}
NETWORK_VIEWS: dict[str, Callable[[Pair, Bar], None]] = {
    "train": train.view,
    "network": network.view,
}
TITLES = {
    "forward": "Forward",
    "what_if": "What if",
    "gradients": "Gradients",
    "depth": "Depth",
    "train": "Train",
    "network": "Network",
}
HEADINGS = {
    "forward": "The block, stage by stage",
    "what_if": "The block and a variant",
    "gradients": "The gradient, path by path",
    "depth": "Many blocks in a row",
    "train": "Two networks, side by side",
    "network": "A network, block by block",
}
SENTENCES = {
    "forward": "A residual block computes F(x) and adds x; a ReLU then zeroes what is negative. "
    "Point at a pixel to read it, click to pin it.",
    "what_if": "What changes if one step of the block is left out, moved or replaced.",
    "gradients": "The gradient at out reaches x on two paths, through F and through the shortcut, "
    "and both parts are added.",
    "depth": "How signals and gradients pass through many blocks, with shortcuts and without.",
    "train": "Two networks are trained from the same fresh kernels, on the same pictures.",
    "network": "What each block of a network receives, computes and passes on.",
}


def page() -> None:
    """Draw the page."""
    session_results().begin_run()
    complete_link()
    forget_settings()
    forget_reported()
    update_old_link()
    messages = st.container()
    mode, lesson = presenter_mode(), place()
    view, bar = title_row(TITLES, HEADINGS, SENTENCES, lesson=lesson, mode=mode)
    if view in NETWORK_VIEWS:
        _draw_network(NETWORK_VIEWS[view], bar, messages)
    else:
        _draw(BLOCK_VIEWS[view], bar, messages)
    if not mode and not is_embedded():
        suggest(view)
    with messages:
        for sentence in ignored_parameters():
            show_message("warning", sentence)
    keep_history()
    run_when_reconnected()
    add_skip_link()
    keep_lecture(mode)
    end_navigation()


def _draw(
    view: Callable[[Experiment, Result, Bar], None], bar: Bar, messages: DeltaGenerator
) -> None:
    """Draw the controls and the view; after an error, the view of the last result.

    An error is among the messages, which take one place: what follows keeps its own, so that
    figures stay in the document with their zoom.
    """
    set_stale(False)
    try:
        experiment = experiment_controls(bar)
        if experiment is None:
            if lacks_dataset():
                ask_for_dataset()
            else:
                ask_for_file()
            return
        result = run(experiment, bar.below.empty())
    except NotTrained as missing:
        offer_training(missing.pair)
        return
    except NoCheckpoint:
        ask_for_checkpoint()
        return
    except PROBLEMS as problem:
        with messages:
            show_problem(problem)
        experiment = recall("experiment")
        if experiment is None:
            return
        try:
            result = run(experiment, bar.below.empty())
        except PROBLEMS:  # the cache has dropped it
            return
        set_stale(True)
    remember("experiment", experiment.without_file())
    try:
        view(experiment, result, bar)
    except PROBLEMS as problem:
        show_problem(problem, "view")


def _draw_network(view: Callable[[Pair, Bar], None], bar: Bar, messages: DeltaGenerator) -> None:
    """Draw the controls and a view of networks."""
    set_stale(False)
    try:
        if view is network.view and network_source(bar) == "checkpoint":
            checkpoint.view(bar)
            return
        pair = network_controls(bar, is_subject=view is train.view)
        if pair is None:
            ask_for_dataset()
            return
        view(pair, bar)
    except NotTrained as missing:
        offer_training(missing.pair)
    except PROBLEMS as problem:
        with messages:
            show_problem(problem)


st.set_page_config(page_title="Residual block explorer", layout="wide")
with timed_run():
    page()
