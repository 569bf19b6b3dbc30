"""A sheet of small grey pictures with their indices, true labels and predicted labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.errors import InputError, check_list, check_type
from explorer.figures.charts import axes
from explorer.figures.sheet import base_layout, text
from explorer.figures.template import map_template
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

STRIP = 5  # pictures in a strip; a row has two strips in the wide layout, one in the narrow one
PITCH = 72  # from a picture to the next, in pixels
MARGIN, TOP = 8, 28
CAPTION = 52  # space for three lines under every picture, in pixels
BOTTOM = 0.56  # of the axis of a strip, whose pictures end at 0.5; captions begin there
SHORT, LONGEST = 2, 5  # characters of names


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures of a data set, with what a network has predicted.

    Attributes:
        images: `(N, H, W, C)`.
        indices: of the pictures in their data set, `(N,)`.
        labels: true labels 0 … K−1, `(N,)`.
        predicted: predicted labels 0 … K−1, `(N,)`.
    """

    images: np.ndarray
    indices: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or 0 in self.images.shape[1:]:
            raise InputError(f"images must have shape (N, H, W, C), got {self.images.shape}.")
        for name in ("indices", "labels", "predicted"):
            if getattr(self, name).shape != self.images.shape[:1]:
                raise InputError(
                    f"{name} must have a value for each of the {len(self.images)} pictures, got "
                    f"shape {getattr(self, name).shape}."
                )

    @property
    def wrong(self) -> int:
        """Number of pictures that are classified wrongly."""
        return int(np.count_nonzero(self.labels != self.predicted))


def picture_sheet_figure(
    found: LabelledPictures,
    classes: Sequence[str],
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw the pictures in rows of 10 or, in the narrow layout, 5.

    The smallest value of all is black, the largest white; of pictures with several channels, the
    mean over the channels is drawn. Every 5 pictures are one trace, whose horizontal axis counts
    them from 0: picture n is centred at n modulo 5.

    Args:
        found: the pictures.
        classes: the names of the classes, by label.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return picture_sheet_layouts(found, classes, theme=theme).figure(arrangement)


def picture_sheet_layouts(
    found: LabelledPictures, classes: Sequence[str], *, theme: ThemeName
) -> TwoLayouts:
    """Return the figure of `picture_sheet_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("found", found, LabelledPictures)
    check_list("classes", classes, str)
    for name in ("labels", "predicted"):
        values = getattr(found, name)
        if values.size and not 0 <= values.min() <= values.max() < len(classes):
            raise InputError(
                f"{name} must be from 0 to {len(classes) - 1}, as there are {len(classes)} "
                f"classes; got {values.min()} … {values.max()}."
            )
    grey = np.asarray(found.images, np.float32).mean(axis=-1)
    finite = grey[np.isfinite(grey)]
    ends = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
    data: list[dict[str, Any]] = []
    for start in range(0, len(grey), STRIP):
        chosen, number = slice(start, start + STRIP), start // STRIP + 1
        data.append(_strip(f"pictures {number}", grey[chosen], ends, number))
        data.append(_captions(_texts(found, classes, palette)[chosen], number))
    return TwoLayouts(
        data,
        _layout(grey.shape, found.wrong, palette, 2),
        _layout(grey.shape, found.wrong, palette, 1),
    )


def _strip(
    name: str, pictures: np.ndarray, ends: tuple[float, float], number: int
) -> dict[str, Any]:
    """Return up to 5 pictures side by side, with empty columns between them."""
    count, height, width = pictures.shape
    gap = _gap(width)
    tiles = np.full((height, STRIP, width + gap), np.nan, np.float32)
    tiles[:, :count, :width] = pictures.transpose(1, 0, 2)
    pitch = 1 / (width + gap)
    return {
        "type": "heatmap",
        "name": name,
        "z": tiles.reshape(height, -1)[:, :-gap],
        "x0": (1 - width) / 2 * pitch,
        "dx": pitch,
        "y0": (1 - height) / 2 / height,
        "dy": 1 / height,
        "zmin": ends[0],
        "zmax": ends[1] if ends[1] > ends[0] else ends[0] + 1,
        "colorscale": [(0, "#000000"), (1, "#ffffff")],
        "showscale": False,
        "hoverinfo": "skip",
        **axes(number),
    }


def _captions(texts: list[str], number: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "name": f"captions {number}",
        "x": np.arange(len(texts)),
        "y": np.full(len(texts), BOTTOM),
        "text": texts,
        "textposition": "bottom center",
        "textfont": {"size": NOTE_SIZE},
        "cliponaxis": False,
        "hoverinfo": "skip",
        **axes(number),
    }


def _texts(found: LabelledPictures, classes: Sequence[str], theme: Theme) -> list[str]:
    names = [_shortened(name) for name in classes]
    word = "predicted" if max(map(len, classes)) <= SHORT else "pred."
    lines = []
    for index, label, predicted in zip(found.indices, found.labels, found.predicted, strict=True):
        last = f"{word} {names[predicted]}"
        if predicted != label:
            last = f"<span style='color:{theme.above[1]}'>{last}</span>"
        lines.append(f"<b>{index}</b><br>true {names[label]}<br>{last}")
    return lines


def _shortened(name: str) -> str:
    return escape(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…", quote=False)


def _gap(width: int) -> int:
    """Return the empty columns after a picture of that width."""
    return max(1, round(width / 8))


def _layout(shape: tuple[int, ...], wrong: int, theme: Theme, strips_in_row: int) -> dict[str, Any]:
    """Return the layout for pictures `(N, H, W)`."""
    count, height, width = shape
    gap = _gap(width)
    columns, strips = STRIP * strips_in_row, -(-count // STRIP)
    rows = max(-(-strips // strips_in_row), 1)
    side = PITCH * min(max(height / (width + gap), 1 / 3), 3)  # height of a picture
    inside = columns * PITCH, rows * (side + CAPTION)
    size = round(inside[0] + 2 * MARGIN), round(inside[1] + TOP + MARGIN)
    layout = base_layout(theme, *size, TOP, template=map_template(theme))
    for index in range(strips):
        row, column = divmod(index, strips_in_row)
        left, upper = column / strips_in_row, 1 - row / rows
        layout[f"xaxis{index + 1}"] = {
            "domain": [left, left + (1 - gap / (width + gap) / STRIP) / strips_in_row],
            "anchor": f"y{index + 1}",
            "range": [-width / (width + gap) / 2, STRIP - 1 + width / (width + gap) / 2],
            "showline": False,
        }
        layout[f"yaxis{index + 1}"] = {
            "domain": [upper - (BOTTOM + 0.5) * side / inside[1], upper],
            "anchor": f"x{index + 1}",
            "range": [BOTTOM, -0.5],
            "showline": False,
        }
    if count:
        title = (
            f"{count} picture{'' if count == 1 else 's'}, {wrong} classified wrongly; bold: index"
        )
    else:
        title = "no pictures"
    layout["annotations"] = [text(0, 1, title, font={"size": LABEL_SIZE}, yshift=5)]
    return layout
