"""The network figure as the tests read it: panels, lines and texts, and where they lie."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise

import numpy as np
import plotly.graph_objects as go
from PIL import ImageFont

from explorer.figures.two_layouts import ArrangementName

ARRANGEMENTS: tuple[ArrangementName, ...] = ("wide", "narrow")
# Widths on the page, in pixels: the wide layout is drawn from 800 on, the narrow one on phones.
SPACES = {"wide": (800, 1000, 1600), "narrow": (300, 358, 620)}
Point = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels of the page; y points downwards."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Rectangle") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def drawn_panels(figure: go.Figure) -> dict[str, go.Heatmap]:
    return {item.name: item for item in figure.data}


def shape(figure: go.Figure, name: str) -> go.layout.Shape:
    (found,) = (each for each in figure.layout.shapes if each.name == name)
    return found


def circles(figure: go.Figure) -> list[Point]:
    """Return the centres of ⊕, in paper coordinates."""
    found = [each for each in figure.layout.shapes if each.type == "circle"]
    return [((each.x0 + each.x1) / 2, (each.y0 + each.y1) / 2) for each in found]


def lines(path: str) -> list[np.ndarray]:
    """Return the points of each connected line of a path; a corner as its control point."""
    return [
        np.array(re.findall(r"-?\d+\.\d+", line), float).reshape(-1, 2)
        for line in path.split("M")[1:]
    ]


def rectangle_of(figure: go.Figure, name: str) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of a panel, in paper coordinates."""
    trace = drawn_panels(figure)[name]
    x = figure.layout[trace.xaxis.replace("x", "xaxis")].domain
    y = figure.layout[trace.yaxis.replace("y", "yaxis")].domain
    return (*x, *y)


def position_on(line: np.ndarray, point: Point) -> float:
    """Return how far along a line a point on it lies."""
    passed = 0.0
    for start, end in pairwise(line):
        along, off = end - start, np.array(point) - start
        length = float(np.hypot(*along))
        if length == 0:
            continue
        share = float(off @ along) / length**2
        if 0 <= share <= 1 and np.hypot(*(off - share * along)) < 1e-4:
            return passed + share * length
        passed += length
    raise AssertionError(f"{point} is not on the line")


def texts(figure: go.Figure) -> str:
    return "\n".join(note.text for note in figure.layout.annotations)


@cache
def font() -> ImageFont.FreeTypeFont:
    """Return the page's font in 64 pixels, semi-bold."""
    folder = files("streamlit") / "static" / "static" / "media"
    (path,) = (each for each in folder.iterdir() if each.name.startswith("SourceSansVF-Upright"))
    found = ImageFont.truetype(str(path), 64)
    found.set_variation_by_axes([600])
    return found


def rectangles(figure: go.Figure, space: float) -> Iterator[Rectangle]:
    """Yield panels, texts and values over panels as they lie on a page of this width.

    The browser scales what is inside the margins, and no text.
    """
    layout = figure.layout
    width, margin = layout.width, layout.margin
    high = (layout.height - margin.t - margin.b) * space / width

    def on_page(x: float, y: float) -> Point:
        return x * space, margin.t + (1 - y) * high

    for name in (item.name for item in figure.data if "zeroed" not in item.name):
        x0, x1, y0, y1 = rectangle_of(figure, name)
        (left, top), (right, bottom) = on_page(x0, y1), on_page(x1, y0)
        yield Rectangle(name, left, top, right, bottom)
        yield Rectangle(f"value of {name}", max(left, right - 36), top - 14, right, top - 4)
    for note in layout.annotations:
        x, y = on_page(note.x, note.y)
        rows = [re.sub("<[^>]*>", "", row) for row in note.text.split("<br>")]
        is_note = ["font-size:11px" in row for row in note.text.split("<br>")]
        sizes = [11 if small else note.font.size for small in is_note]
        wide = max(font().getlength(row) * size for row, size in zip(rows, sizes, strict=True)) / 64
        tall = 1.3 * note.font.size * (len(rows) - 1) + note.font.size
        beside = {"left": 0, "center": wide / 2, "right": wide}[note.xanchor]
        left = x + (note.xshift or 0) - beside
        top = y - (note.yshift or 0) - {"top": 0, "middle": tall / 2, "bottom": tall}[note.yanchor]
        yield Rectangle(rows[0], left, top, left + wide, top + tall)
        assert note.font.size >= 11


def expect_apart(figure: go.Figure, arrangement: ArrangementName) -> None:
    """Check that thumbnails and texts lie on the page and apart, at several widths of it."""
    for space in SPACES[arrangement]:
        found = list(rectangles(figure, space))
        height = figure.layout.height * max(1, space / figure.layout.width)
        for each in found:
            assert 0 <= each.left < each.right <= space, (space, each)
            assert 0 <= each.top < each.bottom <= height, (space, each)
        met = [(one.name, two.name) for one, two in combinations(found, 2) if one.meets(two)]
        assert met == [], space
