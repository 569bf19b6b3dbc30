"""The page: the experiment in the sidebar, one view at a time beside it."""

import streamlit as st

from explorer.errors import InputError
from explorer.page import forward
from explorer.page.errors import show_problem
from explorer.page.experiment import run
from explorer.page.sidebar import ask_for_file, experiment_controls


def forward_page() -> None:
    try:
        experiment = experiment_controls()
        if experiment is None:
            ask_for_file()
            return
        result = run(experiment)
    except InputError as problem:
        show_problem(problem)
        return
    forward.view(experiment, result)


st.set_page_config(page_title="Residual block explorer", layout="wide")
st.navigation([st.Page(forward_page, title="Forward", default=True)], position="top").run()
