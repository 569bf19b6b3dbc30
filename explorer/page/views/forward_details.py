"""A block's figure, the control of its details, and the detail chosen."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from explorer.links.stage_link import PanelBlock
from explorer.page import stage_panel
from explorer.page.bar import Bar
from explorer.page.controls import segmented_choice
from explorer.page.display import DisplaySettings
from explorer.page.errors import PROBLEMS, show_problem
from explorer.page.export_block import export_block
from explorer.page.views.channel_details import all_channels, histograms
from explorer.page.views.code_details import code
from explorer.page.views.norm_details import batch_norm
from explorer.page.views.pixel_details import this_pixel
from explorer.page.views.subject import Subject
from explorer.page.views.sum_details import cells_in_drawn_box, outcomes, scatter

DETAILS: Mapping[str, str] = {
    "pixel": "This pixel",
    "outcomes": "Outcomes",
    "scatter": "Scatter",
    "channels": "All channels",
    "histograms": "Histograms",
    "batch_norm": "BatchNorm",
    "code": "Code",
}
_DRAW: Mapping[str, Callable[[Subject, DisplaySettings], None]] = {
    "outcomes": outcomes,
    "scatter": scatter,
    "channels": all_channels,
    "histograms": histograms,
    "batch_norm": batch_norm,
    "code": code,
}


def draw_block(
    figure: str,
    blocks: Sequence[PanelBlock],
    subject: Subject,
    bar: Bar,
    *,
    difference: PanelBlock | None = None,
    summary: Callable[[], str] | None = None,
    caption: str = "",
) -> None:
    """Draw the figure of some blocks, the control of details, and the detail chosen.

    Args:
        figure: the figure's key on the page.
        blocks: the blocks to draw; the pixel's arithmetic is of the one with the pin.
        subject: the trace that the other details show.
        bar: the places of the controls of channel and scale.
        difference: as for `stage_panel.draw`.
        summary: returns the text below the figure, once the figure has been sent.
        caption: text below that.
    """
    display = stage_panel.controls(
        figure,
        bar,
        *blocks,
        *([difference] if difference else []),
        default_pin=subject.experiment.default_pin if subject.experiment else "",
    )
    above = st.container()
    # Read before the figure is drawn, because the figure marks the cells that details select.
    chosen = segmented_choice("Details", tuple(DETAILS), key="details", titles=DETAILS)
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
        if summary and (words := summary()):
            st.markdown(words)
        if display.channel is None:
            st.caption(
                "Every panel shows the mean over channels. Channels of opposite sign cancel, and "
                "the mean of a ReLU is not the ReLU of the mean."
            )
        if caption:
            st.caption(caption)
    export_block(bar, subject, display)
    try:
        if chosen == "pixel":
            this_pixel(blocks, display)
        else:
            _DRAW[chosen](subject, display)
    except PROBLEMS as problem:
        show_problem(problem, "details")
