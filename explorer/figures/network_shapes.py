"""The wires of the network figure as Plotly shapes: the residual stream, loops, ⊕ and bars."""

from collections.abc import Sequence
from math import dist
from typing import Any

import numpy as np

from explorer.analysis.network_view import NetworkView
from explorer.figures.arrangement import Box, Canvas, Point
from explorer.figures.network_arrangement import BlockPlace, NetworkArrangement
from explorer.figures.theme import Theme
from explorer.figures.wires import ON_PAPER, arrow_head, filled, on_paper, plus, svg_path

STREAM_WIDTH, LOOP_WIDTH, THIN = 7, 2.5, 1.5
TURN_RADIUS, CORNER = 26, 7
TRACK_OPACITY = 0.4


def network_shapes(
    arranged: NetworkArrangement, view: NetworkView, theme: Theme
) -> list[dict[str, Any]]:
    """Return all shapes: of a residual network with the stream, of a plain network without.

    The stream is one shape named "residual stream", and each block's loop one named after the
    block.
    """
    is_residual = view.is_residual
    shapes = _stream(arranged, theme) if is_residual else _plain_links(arranged, theme)
    colour = theme.identity if is_residual else theme.trunk
    shapes.append(_lines("taps", arranged, arranged.taps, CORNER, colour, THIN))
    shapes.append(filled(" ".join(_heads(arranged, arranged.taps, THIN)), colour))
    named = list(zip(arranged.blocks, view.blocks, strict=True))
    for place, block in named:
        if block.spec.shortcut:
            shapes.append(_shortcut(arranged, place, theme))
        name = f"loop of {block.name}"
        halves = (place.rise, place.fall)
        shapes.append(_lines(name, arranged, halves, 2 * CORNER, theme.branch, LOOP_WIDTH))
    if is_residual:
        falls = [_until(place.fall, arranged.radius + 1) for place in arranged.blocks]
        shapes.append(filled(" ".join(_heads(arranged, falls, LOOP_WIDTH)), theme.branch))
        for place in arranged.blocks:
            shapes += plus(arranged, place.plus, arranged.radius, theme)
    shapes += [_rectangle(arranged, box, theme) for box in (arranged.stem, arranged.head)]
    return shapes + _bars(arranged, view, theme)


def full_ratio(view: NetworkView) -> float:
    """Return the ratio ‖F‖/‖x‖ at which a block's bar is full: the largest, and at least 1."""
    ratios = [block.ratio for block in view.blocks if np.isfinite(block.ratio)]
    return max([1.0, *ratios])


def _stream(arranged: NetworkArrangement, theme: Theme) -> list[dict[str, Any]]:
    """Return the residual stream as one thick line, and its arrow head before the head."""
    tip = arranged.stream[-1]
    line = _until(arranged.stream, 8)
    return [
        _lines("residual stream", arranged, [line], TURN_RADIUS, theme.identity, STREAM_WIDTH),
        filled(arrow_head(arranged, arranged.stream[-2], tip, STREAM_WIDTH - 1), theme.identity),
    ]


def _plain_links(arranged: NetworkArrangement, theme: Theme) -> list[dict[str, Any]]:
    """Return thin arrows from block to block."""
    lines = _lines("links", arranged, arranged.links, TURN_RADIUS, theme.trunk, THIN)
    return [lines, filled(" ".join(_heads(arranged, arranged.links, THIN)), theme.trunk)]


def _heads(canvas: Canvas, lines: Sequence[tuple[Point, ...]], width: float) -> list[str]:
    return [arrow_head(canvas, line[-2], line[-1], width) for line in lines]


def _shortcut(arranged: NetworkArrangement, place: BlockPlace, theme: Theme) -> dict[str, Any]:
    """Return the box that interrupts the stream where a block's shortcut has layers."""
    box = place.shortcut
    line = {"color": theme.identity, "width": THIN}
    return {**_rectangle(arranged, box, theme), "line": line, "name": "shortcut"}


def _rectangle(canvas: Canvas, box: Box, theme: Theme) -> dict[str, Any]:
    (x0, y0), (x1, y1) = (
        on_paper(canvas, corner) for corner in ((box.left, box.bottom), (box.right, box.top))
    )
    line = {"color": theme.trunk, "width": THIN}
    corners = {"x0": x0, "x1": x1, "y0": y0, "y1": y1}
    return {"type": "rect", **corners, "line": line, "fillcolor": theme.page, **ON_PAPER}


def _bars(arranged: NetworkArrangement, view: NetworkView, theme: Theme) -> list[dict[str, Any]]:
    """Return the bars of all blocks as one area, on their whole lengths as another."""
    full, tracks, bars = full_ratio(view), [], []
    for place, block in zip(arranged.blocks, view.blocks, strict=True):
        share = 0.0 if np.isnan(block.ratio) else min(block.ratio / full, 1.0)
        box = place.bar
        tracks.append(_area(arranged, box))
        bars.append(_area(arranged, Box(box.left, box.top, box.width * share, box.height)))
    track = {**filled(" ".join(tracks), theme.zeroed), "opacity": TRACK_OPACITY}
    return [
        {**track, "name": "bars: whole length"},
        {**filled(" ".join(bars), theme.branch), "name": "bars: ‖F‖/‖x‖"},
    ]


def _area(canvas: Canvas, box: Box) -> str:
    corners = (
        (box.left, box.top),
        (box.right, box.top),
        (box.right, box.bottom),
        (box.left, box.bottom),
    )
    return svg_path(canvas, corners) + " Z"


def _lines(
    name: str,
    canvas: Canvas,
    lines: Sequence[tuple[Point, ...]],
    radius: float,
    colour: str,
    width: float,
) -> dict[str, Any]:
    """Return lines with round corners as one shape."""
    path = " ".join(rounded_path(canvas, line, radius) for line in lines)
    return {
        "type": "path",
        "name": name,
        "path": path,
        "line": {"color": colour, "width": width},
        **ON_PAPER,
    }


def rounded_path(canvas: Canvas, points: Sequence[Point], radius: float) -> str:
    """Return the path through points, with corners of this radius where there is space."""
    parts = [_at("M", canvas, points[0])]
    for before, corner, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        reach = min(radius, dist(before, corner) / 2, dist(corner, after) / 2)
        start, end = _towards(corner, before, reach), _towards(corner, after, reach)
        parts += [_at("L", canvas, start), _at("Q", canvas, corner), _at("", canvas, end).strip()]
    return " ".join([*parts, _at("L", canvas, points[-1])])


def _at(command: str, canvas: Canvas, point: Point) -> str:
    x, y = on_paper(canvas, point)
    return f"{command} {x:.5f} {y:.5f}"


def _until(points: tuple[Point, ...], distance: float) -> tuple[Point, ...]:
    """Return a line that ends this far before its last point."""
    return (*points[:-1], _towards(points[-1], points[-2], distance))


def _towards(start: Point, end: Point, distance: float) -> Point:
    share = distance / max(dist(start, end), 1e-9)
    return tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))  # type: ignore[return-value]
