"""The confusion matrix: how many pictures of each class were classified as which."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.errors import InputError, check_array, check_list
from explorer.figures.cell_text import black_or_white, rgb, scale_colours
from explorer.figures.sheet import base_layout, text
from explorer.figures.template import map_template
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

SIDE, NARROW_SIDE = 420, 300  # of the matrix, in pixels
TOP, BOTTOM, LEFT, RIGHT = 44, 52, 56, 12
FAINT = 0.3  # of the colour of a medium count, for the smallest


def confusion_figure(
    counts: np.ndarray,
    classes: Sequence[str],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the counts as a matrix: the true class downwards, the predicted one to the right.

    The diagonal is grey, so that only errors have colours. Row k and column k of the traces are
    class k.

    Args:
        counts: `(K, K)` integers ≥ 0, rows by true class and columns by predicted class.
        classes: the K names of the classes.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return confusion_layouts(counts, classes, theme=theme).figure(arrangement)


def confusion_layouts(
    counts: np.ndarray, classes: Sequence[str], *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `confusion_figure` in both layouts."""
    palette = theme_of(theme)
    check_list("classes", classes, str)
    counts = check_array("counts", counts, 2)
    if counts.shape != (len(classes),) * 2 or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise InputError(
            f"counts must be integers of at least 0 and of shape ({len(classes)}, {len(classes)}), "
            f"a row and a column for each class; got {counts.dtype.name} of shape {counts.shape}."
        )
    names = [escape(name, quote=False) for name in classes]
    diagonal = np.eye(len(names), dtype=bool)
    words = _hover_texts(counts, names)
    errors = _cells("errors", np.where(diagonal, np.nan, counts), _error_scale(palette), words)
    correct = _cells("correct", np.where(diagonal, counts, np.nan), _flat(palette.zeroed), words)
    data = [
        errors,
        correct,
        _texts(errors, ~diagonal & (counts > 0)),
        _texts(correct, diagonal & (counts.sum() > 0)),
    ]
    return TwoLayouts(data, _layout(counts, names, palette, True), _layout(counts, names, palette))


def _cells(
    name: str, values: np.ndarray, scale: list[tuple[float, str]], words: list[list[str]]
) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": name,
        "z": values,
        "zmin": 0,
        "zmax": float(np.max(values, initial=0, where=~np.isnan(values))) or 1.0,
        "colorscale": scale,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "text": words,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "xaxis": "x",
        "yaxis": "y",
    }


def _texts(heatmap: dict[str, Any], is_shown: np.ndarray) -> dict[str, Any]:
    """Return the counts on those cells."""
    rows, columns = np.nonzero(is_shown)
    shown = heatmap["z"][rows, columns]
    colours = scale_colours(shown / heatmap["zmax"], heatmap["colorscale"])
    return {
        "type": "scatter",
        "mode": "text",
        "name": f"{heatmap['name']} in figures",
        "x": columns,
        "y": rows,
        "text": [f"{int(count)}" for count in shown],
        "textfont": {
            "size": LABEL_SIZE if len(heatmap["z"]) <= 12 else NOTE_SIZE,
            "color": black_or_white(colours),
        },
        "hoverinfo": "skip",
        "xaxis": "x",
        "yaxis": "y",
    }


def _hover_texts(counts: np.ndarray, names: list[str]) -> list[list[str]]:
    totals = counts.sum(axis=1)
    return [
        [
            f"true {true}, predicted {predicted}: {count} of {total} pictures"
            for predicted, count in zip(names, row, strict=True)
        ]
        for true, row, total in zip(names, counts, totals, strict=True)
    ]


def _layout(
    counts: np.ndarray, names: list[str], theme: Theme, is_wide: bool = False
) -> dict[str, Any]:
    side = SIDE if is_wide else NARROW_SIDE
    size = side + LEFT + RIGHT, side + TOP + BOTTOM
    layout = base_layout(theme, *size, TOP, template=map_template(theme))
    layout["margin"] |= {"l": LEFT, "r": RIGHT, "b": BOTTOM}
    layout |= {"hovermode": "closest", "meta": {"fixedHeight": is_wide}}
    axis = {
        "showticklabels": True,
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "tickfont": {"size": LABEL_SIZE if len(names) <= 12 else NOTE_SIZE},
        "constrain": "domain",
        "automargin": True,  # for long names
    }
    title = {"font": {"size": LABEL_SIZE}, "standoff": 8}
    ends = [-0.5, len(names) - 0.5]
    layout["xaxis"] = {
        **axis,
        "range": ends,
        "constraintoward": "left",
        "title": {"text": "predicted class", **title},
    }
    layout["yaxis"] = {
        **axis,
        "range": ends[::-1],
        "scaleanchor": "x",
        "constraintoward": "top",
        "title": {"text": "true class", **title},
    }
    total, right = int(counts.sum()), int(np.trace(counts))
    found = f"{right} of {total} pictures are classified correctly" if total else "no pictures"
    words = f"<b>confusion matrix</b><br>{found}"
    layout["annotations"] = [
        text(0, 1, words, align="left", font={"size": LABEL_SIZE}, yshift=6),
    ]
    return layout


def _error_scale(theme: Theme) -> list[tuple[float, str]]:
    """Return a scale on which a single error differs visibly from none."""
    page, tint = np.array(rgb(theme.page)), np.array(rgb(theme.above[0]))
    faint = "#" + bytes(np.rint(page + FAINT * (tint - page)).astype(np.uint8)).hex()
    return [(0, theme.page), (1e-6, faint), (0.5, theme.above[0]), (1, theme.above[1])]


def _flat(colour: str) -> list[tuple[float, str]]:
    return [(0, colour), (1, colour)]
