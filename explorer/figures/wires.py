"""Wires with arrow heads, ⊕ and frames, drawn as Plotly shapes on an arrangement."""

from collections.abc import Mapping
from typing import Any

from explorer.figures.arrangement import PLUS_RADIUS, Box, Canvas, Drawing, Point
from explorer.figures.theme import Theme

WIRE_WIDTH = {"branch": 2.5, "identity": 5, "trunk": 2.5}


def wire_shapes(canvas: Drawing, theme: Theme, backward: bool) -> list[dict[str, Any]]:
    """Return every wire in its path's colour, with an arrow head in the direction of the data."""
    shapes = []
    for wire in canvas.wires:
        points = wire.points[::-1] if backward else wire.points
        colour = getattr(theme, wire.path)
        width = WIRE_WIDTH[wire.path]
        shapes.append(
            {
                "type": "path",
                "path": svg_path(canvas, points),
                "line": {"color": colour, "width": width},
                **ON_PAPER,
            }
        )
        shapes.append(filled(arrow_head(canvas, points[-2], points[-1], width), colour))
    return shapes


def arrow_head(canvas: Canvas, before: Point, tip: Point, width: float) -> str:
    """Return the path of the arrow head of a wire of this width, which ends at `tip`."""
    length, half = 6 + 1.2 * width, 3 + 0.9 * width
    dx, dy = (_sign(tip[i] - before[i]) for i in (0, 1))
    base = tip[0] - length * dx, tip[1] - length * dy
    corners = (
        (base[0] - half * dy, base[1] + half * dx),
        tip,
        (base[0] + half * dy, base[1] - half * dx),
    )
    return svg_path(canvas, corners) + " Z"


def filled(path: str, colour: str) -> dict[str, Any]:
    """Return the area that a path encloses."""
    return {"type": "path", "path": path, "fillcolor": colour, "line": {"width": 0}, **ON_PAPER}


def frame(canvas: Canvas, box: Box, colour: str, width: float = 2) -> dict[str, Any]:
    """Return the outline of a panel that has nothing to show."""
    (x0, y0), (x1, y1) = (
        on_paper(canvas, corner) for corner in ((box.left, box.top), (box.right, box.bottom))
    )
    line = {"color": colour, "width": width}
    return {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, **ON_PAPER}


def plus_shapes(canvas: Drawing, theme: Theme) -> list[dict[str, Any]]:
    """Return ⊕, where the arrangement has one."""
    return plus(canvas, canvas.plus, PLUS_RADIUS, theme) if canvas.plus else []


def plus(canvas: Canvas, centre: Point, radius: float, theme: Theme) -> list[dict[str, Any]]:
    """Return ⊕: a circle, and the two bars of the plus as one path."""
    (x, y), arm = centre, 0.55 * radius
    x0, y0 = on_paper(canvas, (x - radius, y + radius))
    x1, y1 = on_paper(canvas, (x + radius, y - radius))
    line = {"color": theme.text, "width": 2.5}
    circle = {"type": "circle", "x0": x0, "y0": y0, "x1": x1, "y1": y1}
    bars = [((x - arm, y), (x + arm, y)), ((x, y - arm), (x, y + arm))]
    path = " ".join(svg_path(canvas, bar) for bar in bars)
    return [
        {**circle, "line": line, "fillcolor": theme.page, **ON_PAPER},
        {"type": "path", "path": path, "line": line, **ON_PAPER},
    ]


ON_PAPER: Mapping[str, Any] = {"xref": "paper", "yref": "paper", "layer": "above"}


def svg_path(canvas: Canvas, points: tuple[Point, ...]) -> str:
    """Return the path through points of a canvas."""
    corners = (on_paper(canvas, point) for point in points)
    return "M " + " L ".join(f"{x:.5f} {y:.5f}" for x, y in corners)


def on_paper(canvas: Canvas, point: Point) -> Point:
    """Return canvas pixels as Plotly's paper coordinates: 0 … 1, y upwards."""
    return point[0] / canvas.width, 1 - point[1] / canvas.height


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
