"""The curves over depth on the page: a click opens a block, or enlarges a small chart."""

import numpy as np

from explorer.figures.depth import LARGE, curve_names, curve_panels, curves_layouts
from explorer.linked_figure.payload import PanelPixel, PickLink
from explorer.page.component import component_state, current_theme, linked_figure
from explorer.page.display import parse_pixel
from explorer.page.link_state import change_setting
from explorer.page.views.number_words import power_text
from explorer.records import DepthRecord

KEY = "curves"
STACKS = ("residual", "plain")
HINT = (
    "Point at a chart to read a block’s values. A click on the large chart opens that block of the "
    "nearer stack below; a click on a small chart enlarges it."
)


def draw_curves(
    residual: DepthRecord,
    plain_network: DepthRecord,
    curve: str,
    marked: tuple[str, int] | None,
) -> None:
    """Draw the curves of two stacks, one of them large; a click sets the controls of the view.

    Args:
        residual, plain_network: the records with and without shortcuts.
        curve: the name of the large curve.
        marked: a stack and a block counted from 1, to be marked in the large chart.
    """
    records = residual, plain_network
    depth = residual.inputs.shape[0]
    theme = current_theme(KEY)
    figure = curves_layouts(*records, curve, theme=theme)
    panels = curve_panels(residual.spec, curve)
    names = {name: _labels(name, records) for name in curve_names(residual.spec)}
    link = PickLink(
        panels=tuple(panels),
        label=f"Curves over {depth} blocks, with shortcuts and without; {curve} is the large one. "
        "Left and right change the block, up and down the stack, Shift and arrow the chart; Enter "
        "opens the block, or enlarges a small chart.",
        rows=len(STACKS),
        cols=depth,
        hint=HINT,
        curves=panels,
        point_labels={LARGE: names[curve], **names},
        picked=PanelPixel(LARGE, STACKS.index(marked[0]), marked[1] - 1) if marked else None,
    )

    def pick() -> None:
        text = component_state(KEY, "pick") or ""
        pixel = parse_pixel(text, {name: name for name in panels}, (len(STACKS), depth))
        if pixel is None:
            return
        if pixel.panel == LARGE:
            change_setting("depth_details", "one_block")
            change_setting("stack", STACKS[pixel.row])
            change_setting("block_number", pixel.col + 1)
        else:
            change_setting("curve", pixel.panel.replace(" ", "_"))

    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key=KEY,
        theme=theme,
        link=link,
        on_pick_change=pick,
    )


def _labels(curve: str, records: tuple[DepthRecord, ...]) -> tuple[str, ...]:
    """Return the values of every block in words: medians, and the range over more than one run."""
    parts = []
    for stack, record in zip(STACKS, records, strict=True):
        runs = record.curves[curve]
        if np.isnan(runs).all():
            continue
        numbers = zip(np.median(runs, axis=0), runs.min(axis=0), runs.max(axis=0), strict=True)
        parts.append([f"{stack} {_words(*each, runs.shape[0])}" for each in numbers])
    if not parts:
        return (f"{curve}: not finite",) * records[0].inputs.shape[0]
    return tuple(
        f"Block {block}, {curve}: {' · '.join(words)}".replace("-", "−")
        for block, words in enumerate(zip(*parts, strict=True), start=1)
    )


def _words(median: float, low: float, high: float, runs: int) -> str:
    words = power_text(float(median))
    return (
        words if runs == 1 else f"{words} ({power_text(float(low))} to {power_text(float(high))})"
    )
