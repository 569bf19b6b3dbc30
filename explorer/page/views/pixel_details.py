"""The detail of one pixel: how the value of the pinned cell was computed."""

from collections.abc import Sequence

import streamlit as st

from explorer.analysis.pixel import cell_at, explain
from explorer.figures.pixel import arithmetic_layouts, equation_in_words
from explorer.links.stage_link import PanelBlock
from explorer.page.component import linked_figure
from explorer.page.display import DisplaySettings
from explorer.page.views.subject import ONE_CHANNEL


def this_pixel(blocks: Sequence[PanelBlock], display: DisplaySettings) -> None:
    """Draw the arithmetic of the pinned cell, in the block with the pin."""
    pin = display.pin
    if pin is None:
        st.caption("Click or tap a pixel in a panel to see how its value there was computed.")
        return
    if display.channel is None:
        st.caption(ONE_CHANNEL)
        return
    pinned = [block for block in blocks if pin.panel in block.panels()]
    if not pinned:
        st.caption("A difference has no arithmetic of its own. Pin a pixel in a panel of a block.")
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
