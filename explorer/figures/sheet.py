"""Helpers for figures that are a sheet of equal panels, and for text on any figure."""

from typing import Any

from explorer.figures.template import HIDDEN_AXIS, chart_template
from explorer.figures.theme import Theme

MARGIN = 8


def base_layout(
    theme: Theme, width: int, height: int, top: int = MARGIN, **more: Any
) -> dict[str, Any]:
    """Return a layout with the theme's template for charts, a size and margins.

    `more` adds to it: `template=map_template(theme)` for heatmaps.
    """
    return {
        "template": chart_template(theme),
        "width": width,
        "height": height,
        "margin": {"l": MARGIN, "r": MARGIN, "t": top, "b": MARGIN},
        "hovermode": False,
        "annotations": [],
        "shapes": [],
        **more,
    }


def cell(index: int, columns: int, rows: int, gap: float = 0.03) -> tuple[list[float], list[float]]:
    """Return the domain `[x0, x1], [y0, y1]` of a sheet's panel, counted from 0 row by row.

    The upper tenth of each row is reserved for the panel's title.
    """
    width, height = (1 - gap * (columns - 1)) / columns, 1 / rows
    left, top = (index % columns) * (width + gap), 1 - (index // columns) * height
    return [left, left + width], [top - height + 0.02, top - 0.1 * height]


def sheet_height(width: int, columns: int, rows: int, aspect: float, gap: float = 0.03) -> int:
    """Return the height in pixels at which panels of `cell` are `aspect` times as high as wide.

    The aspect ratio is limited to 1:3 … 3:1.
    """
    panel = (1 - gap * (columns - 1)) / columns * (width - 2 * MARGIN)
    share = 0.9 / rows - 0.02
    return round(panel * min(max(aspect, 1 / 3), 3) / share + 2 * MARGIN)


def text(x: float, y: float, words: str, **style: Any) -> dict[str, Any]:
    """Return an annotation at paper coordinates, by default with its lower left corner there."""
    position = {"x": x, "y": y, "xref": "paper", "yref": "paper"}
    return {**position, "text": words, "xanchor": "left", "yanchor": "bottom", **style}


def hidden_axis(**more: Any) -> dict[str, Any]:
    """Return an axis without ticks, grid or zero line."""
    return {**HIDDEN_AXIS, **more}


def format_number(value: float) -> str:
    """Return a value in four significant digits, with a minus sign instead of a hyphen."""
    return f"{value:#.4g}".replace("-", "−")
