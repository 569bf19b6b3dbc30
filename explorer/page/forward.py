"""The Forward view: headline numbers, the stage figure, and one further table on request."""

import numpy as np
import streamlit as st

from explorer.analysis import Scope, channel_table, headline, variance_error
from explorer.figures.stage import stage_figure
from explorer.page.controls import URL, choice
from explorer.page.experiment import Experiment
from explorer.page.linked_figure import current_theme, linked_figure
from explorer.trace import BlockTrace

PRECISION_LIMIT = 1e-3


def view(experiment: Experiment, trace: BlockTrace) -> None:
    """Draws the view of one experiment."""
    _headline(trace)
    _picture(trace)
    for note in experiment.notes:
        st.caption(note)
    if (off := variance_error(trace)) > PRECISION_LIMIT:
        st.caption(
            f"Precision: a batch variance is off by {off:.1%} here. NNX computes E[v²] − E[v]² in "
            "float32, which loses digits where a channel's mean is large against its spread. "
            "Standardise the input to avoid it."
        )
    st.caption(f"Digest of out: {trace.digest()}. The same link gives the same digest.")


def _headline(trace: BlockTrace) -> None:
    numbers = headline(trace)
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
    last = trace.features - 1
    if st.session_state.get("channel", 0) > last:
        st.session_state["channel"] = last
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        channel = st.number_input("Channel", 0, last, key="channel", bind=URL, width=140)
        show = choice("Show", ("channel", "mean"), key="show")
        scope: Scope = choice(
            "Colour scale",
            ("block", "stage", "map"),
            key="scope",
            help="What shares one colour limit: the whole block, each stage over its channels, or "
            "each map alone. The limit is min(max |v|, 3·RMS).",
        )
    theme = current_theme("stages")
    drawn = {
        arrangement: stage_figure(
            trace,
            channel=None if show == "mean" else channel,
            scope=scope,
            theme=theme,
            arrangement=arrangement,
        )
        for arrangement in ("wide", "narrow")
    }
    linked_figure(drawn["wide"], drawn["narrow"], theme=theme, key="stages")
    st.caption(
        "The identity panel is the same array as x: the shortcut computes nothing, so whatever F "
        "does, x reaches the sum. Only the last ReLU, after the sum, can still cut it "
        "(He et al. 2015, Fig. 2)."
    )
    further = st.segmented_control(
        "Look further", ["channels", "statistics"], key="further", bind=URL
    )
    if further == "channels":
        _channels(trace)
    elif further == "statistics":
        _statistics(trace)


def _channels(trace: BlockTrace) -> None:
    table = channel_table(trace)
    st.dataframe(
        {
            "channel": np.arange(trace.features),
            "‖x‖": table.norm_x,
            "‖F(x)‖": table.norm_f,
            "‖F(x)‖ / ‖x‖": table.ratio,
            "zeroed": table.zeroed,
        },
        hide_index=True,
        key="channel_table",
        on_select=_pick_channel,
        selection_mode="single-row",
        column_config={"zeroed": st.column_config.NumberColumn(format="percent")},
    )
    st.caption("Select a row to see that channel.")


def _pick_channel() -> None:
    rows = st.session_state["channel_table"].selection.rows
    if rows:
        st.session_state["channel"] = rows[0]


def _statistics(trace: BlockTrace) -> None:
    for name, conv in (("bn1", "conv1"), ("bn2", "conv2")):
        norm = trace.norms[name]
        used = "running" if trace.use_running_average else "batch"
        st.markdown(f"**{name}** normalises {conv} by the {used} mean and variance.")
        st.dataframe(
            {
                "channel": np.arange(trace.features),
                "mean before": norm.mean_before,
                "mean batch": norm.batch_mean,
                "mean after": norm.mean_after,
                "variance before": norm.var_before,
                "variance batch": norm.batch_var,
                "variance after": norm.var_after,
            },
            hide_index=True,
        )
    st.caption(
        "after = 0.99 · before + 0.01 · batch in train mode; in eval mode nothing moves. "
        "Running statistics start at mean 0 and variance 1."
    )
