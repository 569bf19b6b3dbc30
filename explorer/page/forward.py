"""The Forward view: headline numbers, the stage figure, and what is looked at further."""

import streamlit as st

from explorer.analysis import Headline
from explorer.page import further as further_views
from explorer.page import picture
from explorer.page.experiment import Experiment, Result
from explorer.trace import BlockTrace

PRECISION_LIMIT = 1e-3


def view(experiment: Experiment, result: Result) -> None:
    """Draws the view of one experiment."""
    _headline(result.headline)
    _picture(result.trace)
    for note in experiment.notes:
        st.caption(note)
    if (off := result.variance_error) > PRECISION_LIMIT:
        st.caption(
            f"Precision: a batch variance is off by {off:.1%} here. NNX computes E[v²] − E[v]² in "
            "float32, which loses digits where a channel's mean is large against its spread. "
            "Standardise the input to avoid it."
        )
    st.caption(f"Digest of out: {result.digest}. The same link gives the same digest.")


def _headline(numbers: Headline) -> None:
    cards = [
        (
            "‖F(x)‖ / ‖x‖",
            f"{numbers.ratio:.3f}",
            "residual against identity",
            "Euclidean norms over all cells. Above 1 the residual is the larger part.",
        ),
        (
            "Variance from x",
            f"{numbers.identity_share:.0%}",
            "the identity's share",
            "Var(x) / (Var(x) + Var(F(x))), over all cells.",
        ),
        (
            "Zeroed",
            f"{numbers.zeroed:.1%}",
            "cut by the last ReLU",
            "Part of all cells where F(x) + x is negative, so that out is 0.",
        ),
        (
            "add − bn2 − x",
            f"{numbers.add_error:.3g}",
            "0: the sum is exact",
            "Largest difference between add and bn2 + x, in float32.",
        ),
        (
            "ReLU(add) − out",
            f"{numbers.relu_error:.3g}",
            "0: out is the cut sum",
            "Largest difference between out and max(add, 0), in float32.",
        ),
    ]
    with st.container(horizontal=True):
        for label, value, line, definition in cards:
            with st.container(width=142, gap=None):
                st.metric(label, value, help=definition)
                st.caption(line)


@st.fragment
def _picture(trace: BlockTrace) -> None:
    shown = picture.controls(trace)
    # What lies further down decides what the picture marks, so its widget is read first.
    further = st.session_state.get("further")
    cells = further_views.cells_in_plane(trace, shown) if further == "plane" else None
    picture.draw(trace, shown, cells, wants_window=further == "plane")
    st.caption(
        "The identity panel is the same array as x: the shortcut computes nothing, so whatever F "
        "does, x reaches the sum. Only the last ReLU, after the sum, can still cut it "
        "(He et al. 2015, Fig. 2)."
    )
    if shown.pin:
        further_views.arithmetic(trace, shown, shown.pin)
    further_views.choose(trace, shown)
