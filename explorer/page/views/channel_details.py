"""Details of a block's channels: all of them as tiles and as a table, and histograms of stages."""

from functools import partial

import numpy as np
import streamlit as st

from explorer.analysis.distributions import distribution
from explorer.analysis.gallery import Order, gallery
from explorer.analysis.summary import channel_table
from explorer.figures.distributions import distributions_layouts
from explorer.figures.gallery import gallery_layouts
from explorer.linked_figure.payload import PanelPixel, PickLink
from explorer.links.reported import integers
from explorer.page.cache import get_or_compute
from explorer.page.component import component_state, linked_figure
from explorer.page.controls import segmented_choice
from explorer.page.display import DisplaySettings
from explorer.page.link_state import change_setting
from explorer.page.views.subject import Subject


def all_channels(subject: Subject, display: DisplaySettings) -> None:
    """Draw every channel of every stage as a tile, and the channels' numbers."""
    _tiles(subject, display)
    _table(subject)


def _tiles(subject: Subject, display: DisplaySettings) -> None:
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
                change_setting("channel", channel)

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
        gallery={"channels": tiles.order.tolist(), "cols": tiles.cols},
        on_pick_change=pick,
    )


def _table(subject: Subject) -> None:
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
        change_setting("channel", rows[0])


def histograms(subject: Subject, display: DisplaySettings) -> None:
    """Draw the distribution of all values of each stage."""
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
