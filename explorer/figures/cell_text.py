"""Numbers on the cells of a heatmap, in black or white by the colour of each cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np

SIZE = 9


def cell_text(heatmap: dict[str, Any], word: str | None = None) -> dict[str, Any]:
    """Return a trace with the values of a heatmap's cells, in two decimals; or with a word.

    Plotly would write them in the colour that it prefers, which is too faint on some cells.
    """
    values = np.asarray(heatmap["z"], np.float64)
    rows, columns = np.nonzero(~np.isnan(values))
    shown = values[rows, columns]
    parts = (shown - heatmap["zmin"]) / (heatmap["zmax"] - heatmap["zmin"])
    return {
        "type": "scatter",
        "mode": "text",
        "name": f"{heatmap['name']} in figures",
        "x": columns,
        "y": rows,
        "text": [word or _two(value) for value in shown],
        "textfont": {
            "size": SIZE,
            "color": black_or_white(scale_colours(parts, heatmap["colorscale"])),
        },
        "xaxis": heatmap["xaxis"],
        "yaxis": heatmap["yaxis"],
    }


def black_or_white(colours: np.ndarray) -> list[str]:
    """Return the more readable one on each colour `(n, 3)`, 0 … 255; its contrast is ≥ 4.5."""
    return ["#000000" if light > 0.179 else "#ffffff" for light in luminance(colours)]


def luminance(colours: np.ndarray) -> np.ndarray:
    """Return the relative luminance of sRGB colours `(n, 3)`, 0 … 255, after WCAG 2.2."""
    shares = np.asarray(colours) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def rgb(colour: str) -> tuple[int, ...]:
    """Return the three parts of a CSS hex colour."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def scale_colours(parts: np.ndarray, scale: Sequence[tuple[float, str]]) -> np.ndarray:
    """Return Plotly's colours of values, given as parts of the scale, `(n, 3)`."""
    edges, ends = [edge for edge, _ in scale], np.array([rgb(colour) for _, colour in scale])
    return np.stack([np.interp(parts, edges, end) for end in ends.T], axis=-1)


def _two(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no "−0.00"
