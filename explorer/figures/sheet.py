"""Helpers for figures that are a sheet of equal panels, and for text on any figure."""

from typing import Any

from explorer.figures.theme import FONT, LABEL_SIZE, Theme

MARGIN = 8


def base_layout(
    theme: Theme, width: int, height: int, top: int = MARGIN, **more: Any
) -> dict[str, Any]:
    """What every figure's layout shares: colours, font, margins, no legend."""
    return {
        "width": width,
        "height": height,
        "margin": {"l": MARGIN, "r": MARGIN, "t": top, "b": MARGIN},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": theme.page,
        "font": {"family": FONT, "size": LABEL_SIZE, "color": theme.text},
        "showlegend": False,
        "hovermode": False,
        "annotations": [],
        "shapes": [],
        **more,
    }


def cell(
    number: int, columns: int, rows: int, gap: float = 0.03
) -> tuple[list[float], list[float]]:
    """The domain `[x0, x1], [y0, y1]` of panel `number` (from 0) on a sheet, row by row.

    A tenth of each row, above the panel, is left for its title.
    """
    width, height = (1 - gap * (columns - 1)) / columns, 1 / rows
    left, top = (number % columns) * (width + gap), 1 - (number // columns) * height
    return [left, left + width], [top - height + 0.02, top - 0.1 * height]


def sheet_height(width: int, columns: int, rows: int, aspect: float, gap: float = 0.03) -> int:
    """The height in pixels at which panels of `cell` are `aspect` times as high as wide.

    Pictures longer than 1:3 or 3:1 are drawn as if they were not.
    """
    panel = (1 - gap * (columns - 1)) / columns * (width - 2 * MARGIN)
    share = 0.9 / rows - 0.02
    return round(panel * min(max(aspect, 1 / 3), 3) / share + 2 * MARGIN)


def text(x: float, y: float, words: str, **style: Any) -> dict[str, Any]:
    """An annotation at paper coordinates, left and bottom aligned unless said otherwise."""
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False}
    return {**place, "text": words, "xanchor": "left", "yanchor": "bottom", **style}


def hidden_axis(**more: Any) -> dict[str, Any]:
    """An axis without ticks, grid or zero line."""
    plain = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    return {**plain, **more}


def number(value: float) -> str:
    """A value in four significant digits, with a real minus sign."""
    return f"{value:#.4g}".replace("-", "−")
