"""Text of the stage figure: titles, captions, labels of the paths, equation and colour bar."""

from typing import Any

import numpy as np

from explorer.analysis.colour_limits import Scope
from explorer.analysis.stage_view import PanelView, StageView
from explorer.figures.arrangement import BAR_HEIGHT, TITLE, Arrangement, Box, Canvas, Point
from explorer.figures.panels import (
    branch_words,
    equation,
    gradient_equation,
    panels,
    shortcut_words,
)
from explorer.figures.sheet import text
from explorer.figures.stage_traces import StagePanel
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, Theme
from explorer.figures.wires import on_paper

SCOPES = {
    "block": "one scale for all",
    "stage": "one limit per stage",
    "map": "one limit per map",
}
LINE_HEIGHT = 15  # of a caption
VALUE = 12  # below a title, for the value at the pixel that is pointed at


def heading(canvas: Arrangement, words: str) -> dict[str, Any]:
    """Return the heading above all panels of a part."""
    corner = canvas.boxes["x"].left, min(box.top for box in canvas.boxes.values())
    font = {"size": TITLE_SIZE + 2}
    return text(*on_paper(canvas, corner), f"<b>{words}</b>", yshift=TITLE + 4, font=font)


def title(
    canvas: Canvas, box: Box, panel: StagePanel, theme: Theme, note: str | None = None
) -> dict[str, Any]:
    """Return the three lines above a panel: its name, its layer, and its shape or `note`."""
    small = "×".join(map(str, panel.view.shape)) if note is None else note or "\u00a0"
    words = (
        f"<b>{panel.panel.name}</b><br>{panel.panel.what}<br>"
        f"<span style='font-size:{NOTE_SIZE}px;color:{theme.muted}'>{small}</span>"
    )
    corner = on_paper(canvas, (box.left, box.top - 1))
    return text(*corner, words, align="left", font={"size": LABEL_SIZE}, yshift=VALUE)


def caption(
    canvas: Canvas, box: Box, panel: StagePanel, scope: Scope, theme: Theme
) -> list[dict[str, Any]]:
    """Return the note below a panel, if it has one."""
    lines = _caption_lines(panel.view, scope)
    if not lines:
        return []
    font = {"size": NOTE_SIZE, "color": theme.muted}
    corner = on_paper(canvas, (box.left, box.bottom + 1))
    return [text(*corner, "<br>".join(lines), yanchor="top", align="left", font=font)]


def _caption_lines(view: PanelView, scope: Scope) -> list[str]:
    if view.note:
        return [view.note]
    means = [f"means of {view.step}×{view.step}"] if view.step > 1 else []
    limit = [f"scale ±{view.limit:.3g}"] if scope != "block" else []
    beyond = [f"{view.beyond:,} beyond"] if view.beyond else []
    return means + limit + beyond + ([f"{view.missing:,} NaN"] if view.missing else [])


def path_labels(canvas: Arrangement, view: StageView, theme: Theme) -> list[dict[str, Any]]:
    """Return the labels of both paths."""
    paths = (
        (canvas.branch_label, branch_words(view.backward), theme.branch),
        (canvas.identity_label, shortcut_words(view.spec, view.backward), theme.identity),
    )
    return [
        text(
            *on_paper(canvas, point),
            words,
            yanchor="middle",
            font={"size": TITLE_SIZE, "color": colour},
        )
        for point, words, colour in paths
    ]


def labels(canvas: Arrangement, view: StageView, theme: Theme) -> list[dict[str, Any]]:
    """Return the labels of both paths, the zeroed fraction, and the equation if there is space."""
    spec, backward, found = view.spec, view.backward, path_labels(canvas, view, theme)
    if view.zeroed_part is not None:
        found.append(_zeroed_label(canvas, view, view.zeroed_part))
    if canvas.equation:
        words = gradient_equation(spec, theme) if backward else equation(spec, theme)
        centre = on_paper(canvas, canvas.equation)
        size = 15 if spec.shortcut else 20  # the longer one has the same room
        found.append(text(*centre, words, yanchor="middle", font={"size": size}))
    return found


def _zeroed_label(canvas: Arrangement, view: StageView, zeroed_part: float) -> dict[str, Any]:
    """Return the label below the panel of out: the fraction of grey cells and its meaning."""
    out, shape = canvas.boxes["out"], view.panels[view.zeroed_stage].shape
    what = "where the last ReLU blocks the gradient" if view.backward else "zeroed by the last ReLU"
    part = percentage(zeroed_part)
    everywhere = ", in every channel" if view.channel is None else ""
    trunk = [panel for panel in panels(view.spec, view.backward).values() if panel.path == "trunk"]
    lines = max(
        len(_caption_lines(view.panels[panel.stage], view.scope)) for panel in trunk[1:][-2:]
    )
    return text(
        *on_paper(canvas, (out.right, out.bottom)),
        f"grey: {part} of this map's {shape[0] * shape[1]:,} cells<br>{what}{everywhere}",
        xanchor="right",
        yanchor="top",
        yshift=-2 - LINE_HEIGHT * lines,
        align="right",
        font={"size": LABEL_SIZE},
    )


def legend(canvas: Arrangement, view: StageView, theme: Theme) -> dict[str, Any]:
    """Return what the colours beside the scale and the marks mean, in three lines."""
    zeroed = "the last ReLU blocks the gradient" if view.backward else "zeroed by the last ReLU"
    lines = (
        f"{_sign('■', theme.zeroed)} {zeroed}",
        f"{_sign('■', theme.over)} above, {_sign('■', theme.under)} below the scale",
        f"{_sign('×', theme.missing)} NaN, {_sign('▲', theme.missing)}{_sign('▼', theme.missing)} "
        "±Inf",
    )
    words = "<br>".join(lines if view.zeroed is not None else lines[1:])
    font = {"size": NOTE_SIZE, "color": theme.muted}
    corner = on_paper(canvas, canvas.legend)
    return text(*corner, words, align="left", font=font)


def _sign(character: str, colour: str) -> str:
    return f"<span style='color:{colour}'>{character}</span>"


def percentage(part: float) -> str:
    """Return a fraction in percent, or a dash for NaN."""
    return "–" if np.isnan(part) else f"{part:.1%}"


def colour_bar(
    canvas: Canvas, ends: tuple[Point, Point], limit: float, scope: Scope, more: str = ""
) -> dict[str, Any]:
    """Return the colour bar, with values at its ends where all panels share one scale.

    `more` is added to its title.
    """
    (left, y), (right, _) = (on_paper(canvas, end) for end in ends)
    labels = (
        [f"−{limit:.3g}", "0", f"{limit:.3g}"] if scope == "block" else ["−limit", "0", "limit"]
    )
    return {
        "x": left,
        "y": y,
        "yanchor": "bottom",
        "len": right - left,
        "thickness": BAR_HEIGHT,
        "xpad": 0,
        "ypad": 0,
        "tickvals": [-limit, 0, limit],
        "ticklabeloverflow": "allow",
        "ticktext": labels,
        "title": {"text": SCOPES[scope] + more, "side": "top"},
    }
