"""Details below a block's figure: the pinned cell's arithmetic, and other views of the trace."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.distributions import distribution
from explorer.analysis.gallery import Order, gallery
from explorer.analysis.pixel import cell_at, explain
from explorer.analysis.summary import channel_table
from explorer.figures.distributions import distributions_layouts
from explorer.figures.gallery import gallery_layouts
from explorer.figures.pixel import arithmetic_layouts, equation_in_words
from explorer.linked_figure.payload import PanelPixel, PickLink
from explorer.page import stage_panel
from explorer.page.bar import Bar
from explorer.page.cache import get_or_compute
from explorer.page.component import component_state, linked_figure
from explorer.page.controls import optional_segmented_choice, segmented_choice
from explorer.page.display import DisplaySettings, integers
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.panel_link import PanelBlock
from explorer.page.views.subject import ONE_CHANNEL, Subject
from explorer.page.views.sum_details import cells_in_drawn_box, scatter, sum_comparison


def draw_block(
    figure: str,
    blocks: Sequence[PanelBlock],
    subject: Subject,
    bar: Bar,
    *,
    difference: PanelBlock | None = None,
    summary: str = "",
    caption: str = "",
) -> None:
    """Draw the figure of some blocks, the pinned cell's arithmetic, and the details chosen.

    Args:
        figure: the figure's key on the page.
        blocks: the blocks to draw; the arithmetic is of the one with the pin.
        subject: the trace that the details show.
        bar: the places of the controls of channel and scale.
        difference: as for `stage_panel.draw`.
        summary, caption: text below the figure.
    """
    display = stage_panel.controls(figure, bar, *blocks, *([difference] if difference else []))
    above = st.container()
    # Read before the figure is drawn, because the figure marks the cells that details select.
    chosen = optional_segmented_choice("Details", tuple(DETAILS), key="details")
    with above:
        stage_panel.draw(
            figure,
            blocks,
            display,
            difference=difference,
            cells=cells_in_drawn_box(subject.trace, display) if chosen == "scatter" else None,
            report_window=chosen == "scatter",
            click=" and shows its arithmetic",
        )
        if summary:
            st.markdown(summary)
        if display.channel is None:
            st.caption(
                "Every panel shows the mean over channels. Channels of opposite sign cancel, and "
                "the mean of a ReLU is not the ReLU of the mean."
            )
        if caption:
            st.caption(caption)
        _arithmetic(blocks, display)
    if not chosen:
        return
    try:
        DETAILS[chosen](subject, display)
    except PROBLEMS as problem:
        show_problem(problem, "details")


def _arithmetic(blocks: Sequence[PanelBlock], display: DisplaySettings) -> None:
    """Draw the arithmetic of the pinned cell, in the block with the pin."""
    pin = display.pin
    if pin is None:
        return
    if display.channel is None:
        st.caption(ONE_CHANNEL)
        return
    pinned = [block for block in blocks if pin.panel in block.panels()]
    if not pinned:  # the pin is on the difference, which has no arithmetic
        return
    trace, stage = pinned[0].trace, pinned[0].panels()[pin.panel]
    cell = cell_at(trace, stage, pin.row, pin.col, display.channel)
    if cell is None:
        st.caption(
            f"{stage} has no value at row {pin.row}, column {pin.col}, channel {display.channel}: "
            f"its shape is {'×'.join(map(str, trace[stage].shape))}."
        )
        return
    found = explain(trace, cell)
    figure = arithmetic_layouts(found, theme=display.theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="arithmetic",
        theme=display.theme,
        label=equation_in_words(found),
    )


def _gallery(subject: Subject, display: DisplaySettings) -> None:
    order: Order = segmented_choice(
        "Order",
        ("index", "ratio", "zeroed"),
        key="order",
        help="By index, by ‖F(x)‖ / ‖x‖, or by the fraction zeroed by the last ReLU.",
    )
    trace = subject.trace
    tiles = get_or_compute(
        ("gallery", *subject.key, order),
        partial(gallery, trace, order),
        private=subject.private,
        placeholder=st.empty(),
        message="Sorting the channels",
    )
    figure = gallery_layouts(trace, tiles, scope=display.scope, theme=display.theme)
    chosen = None
    if display.channel is not None:
        chosen = PanelPixel("x", *tiles.tile_of(display.channel))

    def pick() -> None:
        numbers = integers((component_state("gallery", "pick") or "").split(",")[1:])
        if numbers and len(numbers) == 2:
            channel = tiles.channel(*numbers)
            if channel is not None:
                st.session_state["channel"] = channel

    link = PickLink(
        panels=tuple(tiles.sheets),
        label="All channels of every stage. Arrow keys move between tiles; Enter selects one.",
        rows=tiles.rows,
        cols=tiles.cols,
        labels=tiles.texts,
        hint="Move over a tile to see its channel in every stage; click to select it.",
        picked=chosen,
    )
    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key="gallery",
        theme=display.theme,
        link=link,
        on_pick_change=pick,
    )


def _distributions(subject: Subject, display: DisplaySettings) -> None:
    trace = subject.trace
    found = get_or_compute(
        ("distributions", *subject.key),
        lambda: {stage: distribution(trace, stage) for stage in trace.stages},
        private=subject.private,
        placeholder=st.empty(),
        message="Computing the histograms",
    )
    figure = distributions_layouts(found, theme=display.theme)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="distributions",
        theme=display.theme,
        label=f"Histograms of all values of each stage: {', '.join(found)}.",
    )


def _channels(subject: Subject, display: DisplaySettings) -> None:
    table = channel_table(subject.trace)
    st.dataframe(
        {
            "channel": np.arange(table.ratio.size),
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
    shortcut = " Here x is the output of the shortcut." if subject.trace.spec.shortcut else ""
    st.caption(f"Numbers are rounded. Select a row to see that channel.{shortcut}")


def _pick_channel() -> None:
    rows = st.session_state["channel_table"].selection.rows
    if rows:
        st.session_state["channel"] = rows[0]


def _statistics(subject: Subject, display: DisplaySettings) -> None:
    trace = subject.trace
    if not trace.norms:
        st.caption("This block has no BatchNorm, so it has no statistics.")
        return
    used = "running" if trace.use_running_average else "batch"
    for name, norm in trace.norms.items():
        source = trace.spec.inputs()[name]
        st.markdown(f"**{name}** normalises {source} by the {used} mean and variance.")
        st.dataframe(
            {
                "channel": np.arange(norm.mean.size),
                "mean before": norm.mean_before,
                "mean batch": norm.batch_mean,
                "mean after": norm.mean_after,
                "variance before": norm.var_before,
                "variance batch": norm.batch_var,
                "variance after": norm.var_after,
            },
            hide_index=True,
        )
    momentum = next(iter(trace.norms.values())).momentum
    st.caption(
        f"after = {momentum:g} · before + {1 - momentum:g} · batch in train mode; in eval mode the "
        "running statistics do not change. They start at mean 0 and variance 1. Numbers are "
        "rounded."
    )


DETAILS = {
    "gallery": _gallery,
    "sum_comparison": sum_comparison,
    "scatter": scatter,
    "distributions": _distributions,
    "channels": _channels,
    "statistics": _statistics,
}
