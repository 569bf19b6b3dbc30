"""Charts of one cell's arithmetic, with one function per type of layer."""

from typing import Any

import numpy as np

from explorer.analysis.distributions import histogram
from explorer.analysis.downsampling import block_means, whole
from explorer.analysis.pixel import Activation, AttentionSum, Input, Normalisation, Sum, WeightedSum
from explorer.figures.cell_text import cell_text
from explorer.figures.panels import shortcut_name
from explorer.figures.sheet import base_layout, cell, format_number, hidden_axis, text
from explorer.figures.theme import NOTE_SIZE, Theme, plain_scale

WIDTH, HEIGHT = 1100, 210


def weighted_sum_data(found: WeightedSum, theme: Theme, tiles: int) -> list[dict[str, Any]]:
    """Return window × kernel = products for some channels, and a bar for every channel."""
    channels, columns = _strip_channels(found, tiles)
    strips = [("window", found.window), ("× kernel", found.kernel), ("= product", found.products)]
    data: list[dict[str, Any]] = []
    for row, (label, cells) in enumerate(strips, start=1):
        strip = _strip(cells, channels, columns)
        size = float(np.abs(cells).max()) or 1.0
        heatmap = {
            "type": "heatmap",
            "name": label,
            "z": strip,
            "zmin": -size,
            "zmax": size,
            "colorscale": plain_scale(theme),
            "showscale": False,
            "xaxis": f"x{row}",
            "yaxis": f"y{row}",
        }
        if label == "window":
            outside = np.broadcast_to(~found.inside[:, :, None], cells.shape).astype(np.float64)
            padded = _strip(outside, channels, columns) == 1
            heatmap["z"] = np.where(padded, np.nan, strip)
            grey = [(0, theme.zeroed), (1, theme.zeroed)]
            padding = {"name": "padding", "z": np.where(padded, 1.0, np.nan), "colorscale": grey}
            data += [heatmap | padding, cell_text(heatmap | padding, "pad")]
        data += [heatmap, cell_text(heatmap)]
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
    return data


def weighted_sum_layout(found: WeightedSum, theme: Theme, tiles: int) -> dict[str, Any]:
    """Return the layout of `weighted_sum_data`; with fewer tiles, the strips' ends are cut off."""
    side = found.window.shape[0]
    channels, columns = _strip_channels(found, tiles)
    layout = base_layout(theme, WIDTH, 400)
    layout["margin"] |= {"l": 64, "r": 20, "b": 40}
    for row, label in enumerate(("window", "× kernel", "= product"), start=1):
        top = 0.93 - (row - 1) * 0.21
        layout[f"xaxis{row}"] = hidden_axis(anchor=f"y{row}", range=[-0.5, columns - 0.5])
        layout[f"yaxis{row}"] = hidden_axis(
            anchor=f"x{row}", domain=[top - 0.19, top], range=[side - 0.5, -0.5]
        )
        layout["annotations"].append(
            text(0, top - 0.095, label, xanchor="right", yanchor="middle", xshift=-6)
        )
    for index, channel in enumerate(channels):
        total = f"<br>Σ {format_number(found.contributions[channel])}" if side > 1 else ""
        layout["annotations"].append(
            text(
                ((side + 1) * index + side / 2) / columns,
                0.93,
                f"channel {channel}{total}",
                xanchor="center",
                font={"size": NOTE_SIZE, "color": theme.muted},
            )
        )
    count = found.order.size
    layout["xaxis4"] = hidden_axis(
        anchor="y4",
        showticklabels=count <= 32,
        tickvals=list(range(count)),
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
    return layout


def _strip_channels(found: WeightedSum, tiles: int) -> tuple[np.ndarray, int]:
    """Return the channels that a strip of this many 3×3 tiles shows, and its columns."""
    side = found.window.shape[0]
    slots = tiles if side > 1 else 2 * tiles
    return found.order[:slots], (side + 1) * slots - 1


def _strip(cells: np.ndarray, channels: np.ndarray, columns: int) -> np.ndarray:
    """Return the k×k tiles of the channels side by side with gaps, `(k, columns)`."""
    side = cells.shape[0]
    strip = np.full((side, columns), np.nan)
    for index, channel in enumerate(channels):
        start = (side + 1) * index
        strip[:, start : start + side] = cells[:, :, channel]
    return strip


def normalisation_parts(
    found: Normalisation, theme: Theme
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the histogram of the values, with lines at their mean, deviation and v."""
    layout = _chart_layout(theme)
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
        layout["shapes"].append(_vertical_line(x, colour, dash))
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


def _vertical_line(x: float, colour: str, dash: str) -> dict[str, Any]:
    line = {"color": colour, "width": 2, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def activation_parts(
    found: Activation, theme: Theme
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the function's curve and the cell's point on it."""
    layout = _chart_layout(theme)
    extent = max(1.0, 1.4 * abs(found.v)) if np.isfinite(found.v) else 1.0
    x = np.linspace(-extent, extent, 101)
    gelu = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    curve = {
        "type": "scatter",
        "mode": "lines",
        "name": found.function,
        "line": {"color": theme.muted},
        "x": x,
        "y": np.maximum(x, 0) if found.function == "ReLU" else gelu,
    }
    point = {
        "type": "scatter",
        "mode": "markers",
        "name": "this cell",
        "x": [found.v],
        "y": [found.value],
        "marker": {"size": 12, "color": theme.accent},
    }
    layout["xaxis"]["title"] = {"text": found.source, "font": {"size": NOTE_SIZE}}
    return [curve, point], layout


def sum_parts(found: Sum, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the two terms and the sum as bars."""
    layout = _chart_layout(theme)
    identity = shortcut_name(found.shortcut)
    names = [f"F(x) + {identity}", identity, "F(x)"]
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


def input_parts(found: Input, theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the pixel's values in all channels as bars."""
    layout = _chart_layout(theme)
    colours = [theme.zeroed] * found.channels.size
    colours[found.cell.channel] = theme.accent
    bars = {
        "type": "bar",
        "name": "all channels of this pixel",
        "x": list(range(found.channels.size)),
        "y": found.channels,
        "marker": {"color": colours},
    }
    layout["xaxis"]["title"] = {"text": "channel of this pixel", "font": {"size": NOTE_SIZE}}
    return [bars], layout


def attention_parts(
    found: AttentionSum, theme: Theme
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return three maps: the weights of all tokens, their values, and the products."""
    layout = base_layout(theme, WIDTH, 340)
    step = whole(found.weights.shape).step
    maps = {
        "attention weight of each pixel": found.weights,
        "× its value": found.values,
        "= product": found.products,
    }
    data: list[dict[str, Any]] = []
    for index, (name, values) in enumerate(maps.items(), start=1):
        limit = float(np.abs(values).max()) or 1.0
        data.append(
            {
                "type": "heatmap",
                "name": name,
                "z": block_means(values, step),
                "zmin": -limit,
                "zmax": limit,
                "colorscale": plain_scale(theme),
                "showscale": False,
                "hoverinfo": "skip",
                "xaxis": f"x{index}",
                "yaxis": f"y{index}",
            }
        )
        x, y = cell(index - 1, 3, 1)
        rows, columns = data[-1]["z"].shape
        layout[f"xaxis{index}"] = hidden_axis(
            domain=x, anchor=f"y{index}", range=[-0.5, columns - 0.5], constrain="domain"
        )
        layout[f"yaxis{index}"] = hidden_axis(
            domain=y,
            anchor=f"x{index}",
            range=[rows - 0.5, -0.5],
            scaleanchor=f"x{index}",
            constrain="domain",
        )
        words = f"<b>{name}</b>, scale ±{limit:.3g}"
        layout["annotations"].append(text(x[0], y[1], words, font={"size": NOTE_SIZE + 1}))
    return data, layout


def no_parts(theme: Theme) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return an empty chart, for a figure of the equation alone."""
    layout = base_layout(theme, WIDTH, 10)
    return [], {**layout, "xaxis": {"visible": False}, "yaxis": {"visible": False}}


def _chart_layout(theme: Theme) -> dict[str, Any]:
    axis = {"gridcolor": theme.zeroed, "griddash": "dot", "zerolinecolor": theme.muted}
    layout = base_layout(theme, WIDTH, HEIGHT)
    layout["margin"] |= {"l": 60, "b": 40}
    return {**layout, "xaxis": dict(axis), "yaxis": {**axis, "nticks": 5}}
