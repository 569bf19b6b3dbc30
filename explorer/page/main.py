"""The page: the experiment in the sidebar, one view at a time beside it."""

from collections.abc import Callable

import streamlit as st

from explorer.page.controls import choice, refusals
from explorer.page.errors import PROBLEMS, plain, show_problem
from explorer.page.experiment import Experiment, Result, run
from explorer.page.sidebar import ask_for_file, experiment_controls
from explorer.page.views import depth, forward, gradients, what_if

VIEWS: dict[str, Callable[[Experiment, Result], None]] = {
    "Forward": forward.view,
    "What if": what_if.view,
    "Gradients": gradients.view,
    "Depth": depth.view,
}


def page() -> None:
    # A control, not pages of their own: so channel, pin and experiment stay from view to view.
    told = st.container()
    view = choice("View", tuple(VIEWS), key="view", label_visibility="collapsed")
    if "variant" in st.session_state:  # Streamlit forgets a widget that a view does not draw
        st.session_state["variant"] = st.session_state["variant"]
    try:
        experiment = experiment_controls()
        if experiment is None:
            ask_for_file()
        else:
            VIEWS[view](experiment, run(experiment, st.sidebar.empty()))
    except PROBLEMS as problem:
        show_problem(problem)
    for sentence in refusals():
        told.warning(plain(sentence))


st.set_page_config(page_title="Residual block explorer", layout="wide")
page()
