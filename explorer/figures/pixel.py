"""One pixel's arithmetic as a figure that ends in "= value"."""

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.distributions import histogram
from explorer.analysis.pixel import Arithmetic, ConvSum, Cut, Given, Normalisation, Sum
from explorer.figures.sheet import base_layout, format_number, hidden_axis, text
from explorer.figures.theme import NOTE_SIZE, THEMES, TITLE_SIZE, Theme, ThemeName, plain_scale

TILES = {"wide": 8, "narrow": 3}
WIDTH, HEIGHT = 1100, 210


def arithmetic_figure(
    found: Arithmetic,
    *,
    theme: ThemeName = "light",
    arrangement: Literal["wide", "narrow"] = "wide",
) -> go.Figure:
    """Draws how a pixel's value came about.

    A convolution shows, for the input channels that contribute most, window ×
    kernel = products, and every channel's contribution as a bar; a norm shows the
    value among its channel's; a ReLU the cut; the addition its two terms.
    """
    palette = THEMES[theme]
    match found:
        case ConvSum():
            data, layout = _conv(found, palette, TILES[arrangement])
        case Normalisation():
            data, layout = _norm(found, palette)
        case Cut():
            data, layout = _cut(found, palette)
        case Sum():
            data, layout = _sum(found, palette)
        case Given():
            data, layout = _given(found, palette)
    lines = equation(found)
    words = "<br>".join(lines) if arrangement == "narrow" else " ".join(lines)
    check = f"<span style='font-size:{NOTE_SIZE}px;color:{palette.muted}'>{_check(found)}</span>"
    both = f"{words}<br>{check}"
    layout["annotations"].append(
        text(0, 1, both, yshift=20, align="left", font={"size": TITLE_SIZE + 1})
    )
    room = 34 + 20 * (both.count("<br>") + 1)
    layout["margin"]["t"] = room
    layout["height"] += room
    layout["meta"] = {"fixedHeight": True}
    return go.Figure({"data": data, "layout": layout})


def equation(found: Arithmetic) -> tuple[str, ...]:
    """The arithmetic with its numbers, line by line, the last being "= value"."""
    at = found.pixel
    name = f"<b>{at.stage}</b>[{at.row}, {at.col}]"
    value = f"<b>= {format_number(found.value)}</b>"
    match found:
        case ConvSum():
            cells = f"= Σ over {found.order.size} channels × 9 cells of {found.source} · kernel"
            return (name, f"{cells} + bias {format_number(found.bias)}", value)
        case Normalisation():
            top = f"({format_number(found.v)} − {_bracketed(found.mean)})"
            root = f"√({format_number(found.var)} + {found.epsilon:g})".replace("-", "−")
            scale = f"· {format_number(found.gamma)} + {format_number(found.beta)}"
            symbols = "= (v − μ) / √(σ² + ε) · γ + β"
            return (name, symbols, f"= {top} / {root} {scale}", value)
        case Cut():
            return (name, f"= max(0, {found.source}) = max(0, {format_number(found.v)})", value)
        case Sum():
            terms = f"{format_number(found.residual)} + {_bracketed(found.identity)}"
            return (name, f"= F(x) + x = {terms}", value)
        case Given():
            return (name, "is the block's input, as it comes in", value)


def _bracketed(value: float) -> str:
    return f"({format_number(value)})" if value < 0 else format_number(value)


def _check(found: Arithmetic) -> str:
    off = found.value - found.traced
    rounding = f"{off:.1e} (float32 rounding)".replace("-", "−") if off else "0"
    words = f"the block's own value: {format_number(found.traced)}, difference {rounding}"
    if isinstance(found, Normalisation):
        where = "this input's batch" if found.statistics == "batch" else "the running"
        return f"μ and σ² are {where} statistics of {found.source}<br>{words}"
    if isinstance(found, ConvSum):
        missing = 9 - int(found.inside.sum())
        padding = f"<br>{missing} of 9 cells lie outside the picture: padding puts 0 there"
        shown = "cells: the channels that contribute most, bars: every channel's contribution"
        return f"{shown}{padding if missing else ''}<br>{words}"
    return words


def _conv(found: ConvSum, theme: Theme, tiles: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    shown = found.order[:tiles]
    layout = base_layout(theme, WIDTH, 400)
    layout["margin"] |= {"l": 64, "r": 20, "b": 40}
    strips = [("window", found.window), ("× kernel", found.kernel), ("= product", found.products)]
    data: list[dict[str, Any]] = []
    for row, (label, cells) in enumerate(strips, start=1):
        strip = _strip(cells, shown, tiles)
        size = float(np.abs(cells).max()) or 1.0
        data.append(
            {
                "type": "heatmap",
                "name": label,
                "z": strip,
                "zmin": -size,
                "zmax": size,
                "colorscale": plain_scale(theme),
                "showscale": False,
                "text": np.where(np.isnan(strip), "", np.vectorize(_two)(strip)),
                "texttemplate": "%{text}",
                "textfont": {"size": 9},
                "xaxis": f"x{row}",
                "yaxis": f"y{row}",
            }
        )
        if label == "window":
            outside = np.broadcast_to(~found.inside[:, :, None], cells.shape).astype(np.float64)
            padded = _strip(outside, shown, tiles) == 1
            data[-1]["z"] = np.where(padded, np.nan, strip)
            data[-1]["text"] = np.where(np.isnan(data[-1]["z"]), "", np.vectorize(_two)(strip))
            data.append(
                {
                    **data[-1],
                    "name": "padding",
                    "z": np.where(padded, 1.0, np.nan),
                    "text": np.where(padded, "pad", ""),
                    "colorscale": [(0, theme.zeroed), (1, theme.zeroed)],
                }
            )
        top = 0.93 - (row - 1) * 0.21
        layout[f"xaxis{row}"] = hidden_axis(anchor=f"y{row}", range=[-0.5, 4 * tiles - 1.5])
        layout[f"yaxis{row}"] = hidden_axis(
            anchor=f"x{row}", domain=[top - 0.19, top], range=[2.5, -0.5]
        )
        layout["annotations"].append(
            text(0, top - 0.095, label, xanchor="right", yanchor="middle", xshift=-6)
        )
    for place, channel in enumerate(shown):
        layout["annotations"].append(
            text(
                (4 * place + 1.5) / (4 * tiles - 1),
                0.93,
                f"channel {channel}: Σ {format_number(found.contributions[channel])}",
                xanchor="center",
                font={"size": NOTE_SIZE, "color": theme.muted},
            )
        )
    bars = found.contributions[found.order]
    data.append(
        {
            "type": "bar",
            "name": "contributions",
            "x": list(range(bars.size)),
            "y": bars,
            "marker": {"color": np.where(bars > 0, theme.above[0], theme.below[1]).tolist()},
            "xaxis": "x4",
            "yaxis": "y4",
        }
    )
    layout["xaxis4"] = hidden_axis(
        anchor="y4",
        showticklabels=bars.size <= 32,
        tickvals=list(range(bars.size)),
        ticktext=[str(c) for c in found.order],
        title={"text": "input channel, largest contribution first", "font": {"size": NOTE_SIZE}},
    )
    layout["yaxis4"] = {
        "domain": [0, 0.24],
        "anchor": "x4",
        "gridcolor": theme.zeroed,
        "griddash": "dot",
        "zerolinecolor": theme.muted,
        "nticks": 6,
    }
    return data, layout


def _two(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no "−0.00"


def _strip(cells: np.ndarray, channels: np.ndarray, tiles: int) -> np.ndarray:
    """The 3×3 tiles of some channels side by side with gaps, `(3, 4·tiles − 1)`."""
    strip = np.full((3, 4 * tiles - 1), np.nan)
    for place, channel in enumerate(channels):
        strip[:, 4 * place : 4 * place + 3] = cells[:, :, channel]
    return strip


def _norm(found: Normalisation, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    layout = _plain_layout(theme)
    counts, edges = histogram(found.population)
    data = [
        {
            "type": "bar",
            "name": f"{found.source} of the channel",
            "x": (edges[:-1] + edges[1:]) / 2,
            "y": counts,
            "width": np.diff(edges),
            "marker": {"color": theme.zeroed},
        }
    ]
    spread = found.var**0.5
    lines = [
        (found.mean, theme.text, "μ", "solid"),
        (found.mean - spread, theme.muted, "μ − σ", "dot"),
        (found.mean + spread, theme.muted, "μ + σ", "dot"),
        (found.v, theme.accent, "v", "solid"),
    ]
    for x, colour, name, dash in lines:
        if not np.isfinite(x):
            continue
        layout["shapes"].append(_upright(x, colour, dash))
        layout["annotations"].append(
            {
                "x": x,
                "y": 1 if name != "v" else 0.86,
                "yref": "paper",
                "text": name,
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "top",
                "font": {"color": colour},
            }
        )
    return data, layout


def _upright(x: float, colour: str, dash: str) -> dict[str, Any]:
    line = {"color": colour, "width": 2, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _cut(found: Cut, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    layout = _plain_layout(theme)
    reach = max(1.0, 1.4 * abs(found.v)) if np.isfinite(found.v) else 1.0
    curve = {"type": "scatter", "mode": "lines", "name": "ReLU", "line": {"color": theme.muted}}
    point = {
        "type": "scatter",
        "mode": "markers",
        "name": "this pixel",
        "x": [found.v],
        "y": [found.value],
        "marker": {"size": 12, "color": theme.accent},
    }
    layout["xaxis"]["title"] = {"text": found.source, "font": {"size": NOTE_SIZE}}
    return [{**curve, "x": [-reach, 0, reach], "y": [0, 0, reach]}, point], layout


def _sum(found: Sum, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    layout = _plain_layout(theme)
    names = ["F(x) + x", "x", "F(x)"]
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "terms",
        "y": names,
        "x": [found.value, found.identity, found.residual],
        "base": [0, found.residual, 0],
        "marker": {"color": [theme.trunk, theme.identity, theme.branch]},
    }
    return [bars], layout


def _given(found: Given, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    layout = _plain_layout(theme)
    colours = [theme.zeroed] * found.channels.size
    colours[found.pixel.channel] = theme.accent
    bars = {
        "type": "bar",
        "name": "all channels of this pixel",
        "x": list(range(found.channels.size)),
        "y": found.channels,
        "marker": {"color": colours},
    }
    layout["xaxis"]["title"] = {"text": "channel of this pixel", "font": {"size": NOTE_SIZE}}
    return [bars], layout


def _plain_layout(theme: Theme) -> dict[str, Any]:
    axis = {"gridcolor": theme.zeroed, "griddash": "dot", "zerolinecolor": theme.muted}
    layout = base_layout(theme, WIDTH, HEIGHT)
    layout["margin"] |= {"l": 60, "b": 40}
    return {**layout, "xaxis": dict(axis), "yaxis": {**axis, "nticks": 5}}
