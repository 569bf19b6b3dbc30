"""A naive page for comparison.

Every change builds the figure with `make_subplots` and passes it to `st.plotly_chart`.
"""

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from explorer.engine.forward import trace_block
from explorer.inputs import generate
from explorer.records import BlockTrace
from tests.helpers import PANELS


def naive_figure(trace: BlockTrace, channel: int) -> go.Figure:
    """Return a figure of all panels of one channel, with every pixel."""
    figure = make_subplots(2, 5, subplot_titles=list(PANELS))
    for index, stage in enumerate(PANELS.values()):
        figure.add_heatmap(
            z=trace[stage][:, :, channel],
            row=index // 5 + 1,
            col=index % 5 + 1,
            coloraxis="coloraxis",
        )
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(height=520, coloraxis={"colorscale": "RdBu_r", "cmid": 0})
    return figure


def page() -> None:
    height = int(st.query_params.get("height", 32))
    channels = int(st.query_params.get("channels", 8))
    seed = st.number_input("Seed of the weights", 0, 1000)
    channel = st.number_input("Channel", 0, channels - 1)
    trace = trace_block(seed, generate("normal", height, height, channels, 0), channels)
    st.plotly_chart(naive_figure(trace, channel))


if __name__ == "__main__":
    page()
