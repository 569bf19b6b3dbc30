"""The stage figure: every stage of one block in dataflow order, identity path and ⊕ drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.colour_limits import Scope
from explorer.analysis.downsampling import Window
from explorer.analysis.stage_view import PanelView, StageView, stage_view
from explorer.figures import arrangement as arrange
from explorer.figures.arrangement import Arrangement, Box, Paths, Point
from explorer.figures.panels import equation, gradient_equation, panels, shortcut_words
from explorer.figures.theme import (
    BEYOND,
    FONT,
    LABEL_SIZE,
    NOTE_SIZE,
    THEMES,
    TITLE_SIZE,
    Theme,
    ThemeName,
    diverging_scale,
)
from explorer.figures.wires import frame, on_paper, plus_shapes, wire_shapes
from explorer.records import BlockTrace


@dataclass(frozen=True)
class Part:
    """One block's row of panels in a figure: `prefix` sets its panels' names apart,
    `heading` says what it is."""

    view: StageView
    prefix: str = ""
    heading: str = ""


def stage_figure(
    trace: BlockTrace,
    *,
    channel: int | None = 0,
    scope: Scope = "block",
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
    window: Window | None = None,
) -> go.Figure:
    """Draws a trace, laid out from its spec: a panel a stage, two paths, one ⊕.

    Args:
        trace: what to draw.
        channel: 0 … C−1, or None for the mean over channels.
        scope: what shares one colour limit; see `view.colour_limits`.
        theme: "light" or "dark".
        arrangement: "wide" runs left to right, "narrow" turns in rows of three.
        window: the pixels to draw; None for all. A window of more pixels than a panel
            can show is drawn as means over blocks, which the captions say.

    Returns:
        A figure whose heatmap traces carry the panel's name and whose axes count
        rows downwards and columns rightwards from 0. Cells zeroed by the last
        ReLU are grey; cells beyond the limit have a colour of their own.
    """
    view = stage_view(trace, channel, scope, window)
    return go.Figure(stage_spec([Part(view)], theme=theme, arrangement=arrangement))


def stage_spec(
    parts: Sequence[Part], *, theme: ThemeName, arrangement: Literal["wide", "narrow"]
) -> dict[str, Any]:
    """The stage figure as plain `data` and `layout`: one block, or several of the same x
    beneath each other, whose axes are linked.

    The page sends this as it is: Plotly's check of a figure costs more than all
    else that a change of channel needs. `stage_figure` and its tests do check.
    """
    palette = THEMES[theme]
    arranged = {"wide": arrange.wide, "narrow": arrange.narrow}[arrangement]
    canvases = arrange.stacked([arranged(_paths(part.view), part.view.shape[:2]) for part in parts])
    top = arrange.TITLE + (HEADING if any(part.heading for part in parts) else 0)
    data: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "width": round(canvases[0].width),
        "height": round(canvases[0].height + top + arrange.BAR_LABELS),
        "margin": {"l": 0, "r": 0, "t": top, "b": arrange.BAR_LABELS},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": palette.page,
        "font": {"family": FONT, "size": LABEL_SIZE, "color": palette.text},
        "showlegend": False,
        "dragmode": "zoom",
        "shapes": [],
        "annotations": [],
    }
    for part, canvas in zip(parts, canvases, strict=True):
        _draw_part(part, canvas, palette, data, marks, layout)
    # The bar belongs to the layout, which differs between arrangements; traces do not.
    view = parts[0].view
    drawn = (panel for part in parts for panel in part.view.panels.values() if not panel.is_blank)
    limit = next(drawn).limit
    # A panel without a map cannot carry the bar.
    data[1 if view.panels["x"].is_blank else 0]["coloraxis"] = "coloraxis"
    layout["coloraxis"] = {
        **_colour_range(limit, palette, "c"),
        "colorbar": _colour_bar(canvases[0], limit, view.scope, palette),
    }
    return {"data": data + marks, "layout": layout}


HEADING = 30  # height that a part's heading takes


def _draw_part(
    part: Part,
    canvas: Arrangement,
    palette: Theme,
    data: list[dict[str, Any]],
    marks: list[dict[str, Any]],
    layout: dict[str, Any],
) -> None:
    view = part.view
    layout["shapes"] += wire_shapes(canvas, palette, view.backward)
    layout["shapes"] += plus_shapes(canvas, palette)
    layout["annotations"] += _free_text(canvas, palette, view)
    for panel, told in panels(view.spec, view.backward).items():
        box, shown = canvas.boxes[panel], view.panels[told.stage]
        name, number = part.prefix + panel, len(data) + 1
        colour = getattr(palette, told.path)
        if shown.is_blank and data:  # the first panel's axes are those that all others match
            layout["shapes"].append(frame(canvas, box, colour))
        else:
            layout |= _axes(canvas, box, number, view.shape, colour)
            data.append(_heatmap(name, number, shown, palette))
            marks += _marks(name, number, shown, palette)
        size = "×".join(str(side) for side in shown.shape)
        title = f"<b>{told.name}</b><br>{told.what}"
        layout["annotations"].append(_title(canvas, box, palette, title, size))
        if lines := _caption_lines(shown, view):
            layout["annotations"].append(_caption(canvas, box, palette, "<br>".join(lines)))
        if told.stage == view.zeroed_stage and view.zeroed is not None:
            marks.insert(0, _zeroed_cells(part.prefix, number, view.zeroed, shown, palette))
    if part.heading:
        x, y = canvas.boxes["x"].left, min(box.top for box in canvas.boxes.values())
        layout["annotations"].append(
            _text(
                canvas,
                (x, y),
                f"<b>{part.heading}</b>",
                xanchor="left",
                yanchor="bottom",
                yshift=arrange.TITLE + 4,
                font={"size": TITLE_SIZE + 2},
            )
        )


def _paths(view: StageView) -> Paths:
    told = panels(view.spec, view.backward)

    def of(path: str) -> tuple[str, ...]:
        return tuple(name for name, panel in told.items() if panel.path == path)

    return Paths(of("branch"), of("identity"), of("trunk")[1:])


def _caption_lines(shown: PanelView, view: StageView) -> list[str]:
    if shown.note:
        return [shown.note]
    step = shown.step
    means = [f"means of {step}×{step}"] if step > 1 else []
    limit = [f"scale ±{shown.limit:.3g}"] if view.scope != "block" else []
    return means + limit + ([f"{shown.beyond:,} beyond"] if shown.beyond else [])


def _heatmap(panel: str, number: int, shown: PanelView, theme: Theme) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": panel,
        "z": shown.values,
        **_placement(number, shown),
        **_colour_range(shown.limit, theme, "z"),
        "showscale": False,
        "hovertemplate": f"{panel}[%{{y}}, %{{x}}] = %{{z:.4g}}<extra></extra>",
    }


def _colour_range(limit: float, theme: Theme, letter: str) -> dict[str, Any]:
    reach = limit * (1 + BEYOND)
    scale = diverging_scale(theme)
    return {f"{letter}min": -reach, f"{letter}max": reach, "colorscale": scale}


def _zeroed_cells(
    prefix: str, number: int, zeroed: np.ndarray, shown: PanelView, theme: Theme
) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": f"{prefix}zeroed",
        "z": np.where(zeroed > 0.5, np.float32(1), np.float32(np.nan)),
        **_placement(number, shown),
        "colorscale": [(0, theme.zeroed), (1, theme.zeroed)],
        "showscale": False,
        "hoverinfo": "skip",
    }


def _marks(panel: str, number: int, shown: PanelView, theme: Theme) -> list[dict[str, Any]]:
    """Marks on NaN (×), on ±Inf and on extremes that block means would hide (▲ ▼)."""
    rows, cols, at = shown.marks
    if rows.size == 0:
        return []
    symbols = np.where(np.isnan(at), "x", np.where(at > 0, "triangle-up", "triangle-down"))
    colours = np.where(np.isfinite(at), np.where(at > 0, theme.over, theme.under), theme.missing)
    return [
        {
            "type": "scatter",
            "name": f"{panel}: marks",
            "mode": "markers",
            "x": cols,
            "y": rows,
            "xaxis": f"x{number}",
            "yaxis": f"y{number}",
            "marker": {"symbol": symbols.tolist(), "size": 5, "color": colours.tolist()},
            "hoverinfo": "skip",
        }
    ]


def _placement(number: int, shown: PanelView) -> dict[str, Any]:
    return {
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "x0": shown.left,
        "dx": shown.pitch,
        "y0": shown.top,
        "dy": shown.pitch,
    }


def _axes(
    canvas: Arrangement, box: Box, number: int, shape: tuple[int, ...], colour: str
) -> dict[str, Any]:
    common = {
        "showgrid": False,
        "zeroline": False,
        "showticklabels": False,
        "ticks": "",
        "showline": True,
        "mirror": True,
        "linewidth": 2,
        "linecolor": colour,
    }
    left, top = on_paper(canvas, (box.left, box.top))
    right, bottom = on_paper(canvas, (box.right, box.bottom))
    linked = {"matches": "x"} if number > 1 else {}
    return {
        f"xaxis{number}": {
            **common,
            **linked,
            "domain": [left, right],
            "anchor": f"y{number}",
            "range": [-0.5, shape[1] - 0.5],
        },
        f"yaxis{number}": {
            **common,
            **({"matches": "y"} if number > 1 else {}),
            "domain": [bottom, top],
            "anchor": f"x{number}",
            "range": [shape[0] - 0.5, -0.5],
        },
    }


def _title(canvas: Arrangement, box: Box, theme: Theme, name: str, size: str) -> dict[str, Any]:
    small = f"<span style='font-size:{NOTE_SIZE}px;color:{theme.muted}'>{size}</span>"
    return _text(
        canvas,
        (box.left, box.top - 1),
        f"{name}<br>{small}",
        xanchor="left",
        yanchor="bottom",
        align="left",
        font={"size": TITLE_SIZE},
    )


def _caption(canvas: Arrangement, box: Box, theme: Theme, text: str) -> dict[str, Any]:
    font = {"size": NOTE_SIZE, "color": theme.muted}
    at = (box.left, box.bottom + 1)
    return _text(canvas, at, text, xanchor="left", yanchor="top", align="left", font=font)


def _free_text(canvas: Arrangement, theme: Theme, view: StageView) -> list[dict[str, Any]]:
    texts = [
        _text(
            canvas,
            canvas.branch_label,
            "back through F: Jᵀg" if view.backward else "residual branch F(x)",
            xanchor="left",
            yanchor="middle",
            font={"size": TITLE_SIZE, "color": theme.branch},
        ),
        _text(
            canvas,
            canvas.identity_label,
            shortcut_words(view.spec, view.backward),
            xanchor="left",
            yanchor="middle",
            font={"size": TITLE_SIZE, "color": theme.identity},
        ),
    ]
    if view.zeroed_part is not None:
        out, shape = canvas.boxes["out"], view.panels[view.zeroed_stage].shape
        everywhere = ", in every channel" if view.channel is None else ""
        what = (
            "where the last ReLU lets nothing back" if view.backward else "zeroed by the last ReLU"
        )
        above = _paths(view).trunk[-2:]
        lines = [len(_caption_lines(view.panels[stage], view)) for stage in above]
        texts.append(
            _text(
                canvas,
                (out.right, out.bottom),
                f"grey: {view.zeroed_part:.1%} of this map's {shape[0] * shape[1]:,} cells<br>"
                f"{what}{everywhere}",
                xanchor="right",
                yanchor="top",
                yshift=-2 - 15 * max(lines),
                align="right",
                font={"size": LABEL_SIZE},
            )
        )
    if canvas.equation:
        words = gradient_equation(view.spec, theme) if view.backward else equation(view.spec, theme)
        texts.append(_text(canvas, canvas.equation, words, yanchor="middle", font={"size": 22}))
    return texts


def _text(canvas: Arrangement, at: Point, text: str, **style: Any) -> dict[str, Any]:
    x, y = on_paper(canvas, at)
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False}
    return {**place, "text": text, "xanchor": "center", **style}


def _colour_bar(canvas: Arrangement, limit: float, scope: Scope, theme: Theme) -> dict[str, Any]:
    (left, y), (right, _) = (on_paper(canvas, end) for end in canvas.colour_bar)
    ends = [f"−{limit:.3g}", "0", f"{limit:.3g}"] if scope == "block" else ["−limit", "0", "limit"]
    shared = {
        "block": "one scale for all panels",
        "stage": "each stage its limit",
        "map": "each map its limit",
    }
    return {
        "orientation": "h",
        "x": left,
        "xanchor": "left",
        "y": y,
        "yanchor": "bottom",
        "len": right - left,
        "thickness": arrange.BAR_HEIGHT,
        "xpad": 0,
        "ypad": 0,
        "outlinewidth": 0,
        "tickvals": [-limit, 0, limit],
        "ticklabeloverflow": "allow",
        "ticktext": ends,
        "tickfont": {"size": NOTE_SIZE, "color": theme.muted},
        "title": {
            "text": f"{shared[scope]}; green, yellow: beyond",
            "font": {"size": NOTE_SIZE, "color": theme.muted},
            "side": "top",
        },
    }
