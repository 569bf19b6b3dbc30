"""Details of the sum: which term dominates, and the scatter plot of its two terms."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.analysis.pixel import cell_at
from explorer.analysis.stage_view import mask_on_x, stage_window
from explorer.analysis.sum_comparison import cells_in_box, compare_sum
from explorer.errors import InputError
from explorer.figures.scatter import scatter_figure
from explorer.figures.sum_comparison import sum_comparison_layouts
from explorer.linked_figure.payload import BoxLink
from explorer.links.stage_link import MAX_MARKED
from explorer.page.component import component_state, linked_figure
from explorer.page.display import DisplaySettings
from explorer.page.link_state import check, publish
from explorer.page.views.subject import ONE_CHANNEL, Subject
from explorer.records import BlockTrace

Box = tuple[float, float, float, float]


def cells_in_drawn_box(trace: BlockTrace, display: DisplaySettings) -> np.ndarray | None:
    """Return `(H, W)` bool: the pixels of x in the box drawn in the scatter plot, if any."""
    box = _box()
    if display.channel is None or not box:
        return None
    try:
        inside = cells_in_box(compare_sum(trace, display.channel), box[:2], box[2:])
    except InputError:  # shown in place of the scatter plot
        return None
    return mask_on_x(inside, trace.spec.grids()["add"], trace["x"].shape)


def outcomes(subject: Subject, display: DisplaySettings) -> None:
    """Draw which term dominates, and the categories of the cells."""
    if display.channel is None:
        st.caption(ONE_CHANNEL)
        return
    found = compare_sum(subject.trace, display.channel)
    figure = sum_comparison_layouts(found, theme=display.theme)
    counts = zip(found.categories, found.counts, strict=True)
    linked_figure(
        figure.figure(),
        narrow=figure.narrow,
        key="sum_comparison",
        theme=display.theme,
        label=f"Two maps of channel {display.channel}: which term dominates each cell of the sum, "
        f"and the outcome: {', '.join(f'{name} in {count:,} cells' for name, count in counts)}.",
    )
    positive, raised, lowered, last = found.categories
    st.caption(
        f"The cells of this channel. {_capitalised(positive)}: the identity and the sum are "
        f"positive. {_capitalised(raised)}: the identity is not positive, the sum is. "
        f"{_capitalised(lowered)}: the identity is positive, the sum is not. {_capitalised(last)}: "
        "neither is positive."
    )


def scatter(subject: Subject, display: DisplaySettings) -> None:
    """Draw the scatter plot of the identity and F(x)."""
    if display.channel is None:
        st.caption(ONE_CHANNEL)
        return
    trace = subject.trace
    found = compare_sum(trace, display.channel)
    grid, shape = trace.spec.grids()["add"], found.identity.shape
    pin = (
        cell_at(trace, "add", display.pin.row, display.pin.col, display.channel)
        if display.pin
        else None
    )
    box = _box()
    figure = scatter_figure(
        found,
        theme=display.theme,
        window=stage_window(display.window, grid, shape) if display.window else None,
        pin=(pin.row, pin.col) if pin else None,
    )
    link = BoxLink(
        panels=("cells",),
        label="Every cell as a point: x across, F(x) upwards. Drag to draw a box.",
        box=box,
    )
    linked_figure(figure, key="scatter", theme=display.theme, link=link)
    inside = _inside(int(cells_in_box(found, box[:2], box[2:]).sum())) if box else ""
    st.caption(
        f"Drag to draw a box; its cells are marked in every panel above.{inside} Zoom into a panel "
        "to mark the cells in view here. Click to clear the box."
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]  # str.capitalize would make F lower case


def _inside(count: int) -> str:
    sample = f" At most {MAX_MARKED:,} of them, evenly sampled, are marked." * (count > MAX_MARKED)
    return f" The box holds {count:,} cells.{sample}"


def _box() -> Box | None:
    """Return the box drawn in the scatter plot, else that of the URL; write it into the URL."""
    check(
        "box",
        lambda text: _edges(text.split(",")) is not None,
        "four finite numbers, separated by commas",
    )
    drawn = component_state("scatter", "box")
    box = _edges(st.query_params.get("box", "").split(",") if drawn is None else drawn)
    publish("box", ",".join(f"{edge:.4g}" for edge in box) if box else None, None)
    return box


def _edges(edges: Sequence[str | float]) -> Box | None:
    """Return left, right, low and high; None unless these are four finite numbers."""
    try:
        left, right, low, high = (float(edge) for edge in edges)
    except (TypeError, ValueError, OverflowError):
        return None
    return (left, right, low, high) if math.isfinite(left + right + low + high) else None
