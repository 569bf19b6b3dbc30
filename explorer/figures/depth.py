"""Curves over depth of a residual and a plain network: one in a large chart, all in small ones."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.errors import check_choice, check_type
from explorer.figures.charts import axes, block_axis, is_wide, logarithmic_axis_of, pale
from explorer.figures.sheet import base_layout, text
from explorer.figures.template import HIDDEN_AXIS
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts
from explorer.model.spec import BlockSpec
from explorer.records import DepthRecord

SUBTITLES = {
    "gradient norm": "of the gradient at the block's input",
    "gradient correlation": "with the gradient for a nearby input",
    "branch share": "of the variance at the sum",
    "std": "standard deviation of the output",
    "squared mean": "of the output's channels",
    "zeros": "fraction of cells that are 0 after the last ReLU",
}
GROWING = {"gradient norm", "std", "squared mean"}  # exponentially, so on a logarithmic axis
LARGE = "large chart"  # the name of its panel; that of a small one is its curve's
TOP, BOTTOM = 46, 40  # of the wide figure: two lines of legend, and the axis
HEIGHT = 300  # of the wide figure, at least
AROUND = 410  # pixels of the window that the wide figure leaves to what is above and below it
LARGE_WIDTH, SMALL_LEFT, SMALL_GAP = 0.63, 0.7, 0.02  # fractions of the width
SMALL_SHARE = 0.7  # of a small chart's height that is below its title
NARROW_WIDTH, NARROW_LARGE, NARROW_HEIGHT = 380, 0.42, 640


def curve_names(spec: BlockSpec) -> tuple[str, ...]:
    """Return the names of the curves that a residual stack of this block has."""
    return tuple(name for name in SUBTITLES if name != "zeros" or spec.last_relu_input)


def curve_panels(spec: BlockSpec, curve: str) -> dict[str, tuple[str, ...]]:
    """Return the residual and the plain network's trace in every chart, the large one first."""
    found: dict[str, tuple[str, ...]] = {LARGE: (f"residual: {curve}", f"plain: {curve}")}
    for name in curve_names(spec):
        found[name] = f"residual: {name}, small", f"plain: {name}, small"
    return found


def curves_figure(
    residual: DepthRecord,
    plain_network: DepthRecord,
    curve: str = "gradient norm",
    *,
    theme: ThemeName = "light",
    arrangement: ArrangementName = "wide",
) -> go.Figure:
    """Draw one curve of two stacks large, with median and range over runs, and all curves small.

    Dashed lines are published trends. With BatchNorm: 1/(l + 1) for the branch share (De &
    Smith 2020), and 1/√L for the correlation L blocks from the end with shortcuts. Without
    shortcuts the correlation halves at every ReLU (both Balduzzi et al. 2017).

    Args:
        residual, plain_network: the records of two stacks of the same weights.
        curve: a key of `DepthRecord.curves`; "zeros" only of blocks that end in a ReLU.
        theme: "light" or "dark".
        arrangement: "wide" or "narrow".

    Raises:
        InputError: an argument is none of these.
    """
    return curves_layouts(residual, plain_network, curve, theme=theme).figure(arrangement)


def curves_layouts(
    residual: DepthRecord,
    plain_network: DepthRecord,
    curve: str = "gradient norm",
    *,
    theme: ThemeName,
) -> TwoLayouts:
    """Return the figure of `curves_figure` in both layouts."""
    palette = theme_of(theme)
    check_type("residual", residual, DepthRecord)
    check_type("plain_network", plain_network, DepthRecord)
    names = curve_names(residual.spec)
    check_choice("curve", curve, names)
    stacks = (
        ("residual", residual, palette.residual_network),
        ("plain", plain_network, palette.plain_network),
    )
    blocks = np.arange(1, residual.inputs.shape[0] + 1)
    data: list[dict[str, Any]] = []
    trends = _trends(curve, blocks, residual.spec, palette)
    for stack, record, colour in stacks:
        data += _band(f"{stack}: {curve}", blocks, record.curves[curve], colour)
    data += trends
    for number, name in enumerate(names, start=2):
        for stack, record, colour in stacks:
            median = np.median(record.curves[name], axis=0)
            line = _line(f"{stack}: {name}, small", blocks, median, colour, 1.5)
            data.append({**line, **axes(number)})
    y_axes = [_value_axis(name, residual, plain_network) for name in (curve, *names)]
    is_logarithmic = y_axes[0].get("type") == "log"
    labels = _end_labels(stacks, curve, blocks, is_logarithmic=is_logarithmic)
    runs = residual.curves[curve].shape[0]
    note = "one run" if runs == 1 else "median and range of the runs"
    if trends:
        note += "; dashed: published trend"
    if is_logarithmic and any((record.curves[curve] == 0).any() for _, record, _ in stacks):
        note += "; zeros are not drawn"
    return TwoLayouts(
        data,
        _layout(curve, names, blocks.size, y_axes, labels, note, palette, is_narrow=False),
        _layout(curve, names, blocks.size, y_axes, labels, note, palette, is_narrow=True),
    )


def _layout(
    curve: str,
    names: tuple[str, ...],
    depth: int,
    y_axes: list[dict[str, Any]],
    labels: list[dict[str, Any]],
    note: str,
    theme: Theme,
    *,
    is_narrow: bool,
) -> dict[str, Any]:
    muted = f"<span style='color:{theme.muted};font-size:{NOTE_SIZE}px'>"
    legend = (
        f"<span style='color:{theme.residual_network}'>■</span> residual network   "
        f"<span style='color:{theme.plain_network}'>■</span> plain network: no shortcuts"
    )
    between = "<br>" if is_narrow else "   "
    heading = (
        f"<b>{curve}</b> {muted}{SUBTITLES[curve]}</span><br>{legend}{between}{muted}{note}</span>"
    )
    width, height = (NARROW_WIDTH, NARROW_HEIGHT) if is_narrow else (1200, HEIGHT)
    meta = {"fixedHeight": True} if is_narrow else {"fixedHeight": True, "around": AROUND}
    layout = base_layout(theme, width, height, TOP + 19 * is_narrow, meta=meta)
    layout["margin"] |= {"l": 48, "r": 8, "b": BOTTOM * (not is_narrow) + 8 * is_narrow}
    layout["hovermode"] = "closest"
    tick = {"size": NOTE_SIZE, "color": theme.muted}
    axis = {"griddash": "solid", "gridwidth": 0.5, "zeroline": False, "tickfont": tick}
    axis |= {"automargin": False}
    blocks = block_axis(depth)
    title = {"text": "block", "font": tick, "standoff": 4}
    x, y = ([0, 0.84], [1 - NARROW_LARGE, 1]) if is_narrow else ([0, LARGE_WIDTH], [0, 1])
    layout["xaxis1"] = {**axis, **blocks, "domain": x, "anchor": "y1", "title": title}
    layout["yaxis1"] = {"nticks": 6, **axis, **y_axes[0], "domain": y, "anchor": "x1"}
    for index, name in enumerate(names):
        x, y = _small_domain(index, is_narrow)
        is_chosen = name == curve
        frame = {
            **HIDDEN_AXIS,
            "showline": True,
            "mirror": True,
            "linecolor": theme.text if is_chosen else theme.zeroed,
            "linewidth": 2 if is_chosen else 1,
        }
        number = index + 2
        of_x = {"range": blocks["range"], "domain": x, "anchor": f"y{number}"}
        layout[f"xaxis{number}"] = {**frame, **of_x}
        of_y = {"domain": y, "anchor": f"x{number}"}
        layout[f"yaxis{number}"] = {**y_axes[number - 1], **frame, **of_y}
        words = f"<b>{name}</b>" if is_chosen else name
        layout["annotations"].append(text(x[0], y[1], words, font={"size": LABEL_SIZE}, yshift=1))
    font = {"size": LABEL_SIZE + 1}
    layout["annotations"] += [*labels, text(0, 1, heading, yshift=6, font=font, align="left")]
    return layout


def _small_domain(index: int, is_narrow: bool) -> tuple[list[float], list[float]]:
    """Return the place of a small chart, in two columns and three rows."""
    row, column = divmod(index, 2)
    start, end = (0, 1) if is_narrow else (SMALL_LEFT, 1)
    top = 1 - NARROW_LARGE - 0.1 if is_narrow else 1
    width, height = (end - start - SMALL_GAP) / 2, top / 3
    left, upper = start + column * (width + SMALL_GAP), top - row * height
    return [left, left + width], [upper - height, upper - height * (1 - SMALL_SHARE)]


def _value_axis(name: str, *records: DepthRecord) -> dict[str, Any]:
    values = np.concatenate([record.curves[name].ravel() for record in records])
    if name in GROWING and is_wide(values):
        return logarithmic_axis_of(values)
    return {}


def _end_labels(
    stacks: tuple[tuple[str, DepthRecord, str], ...],
    curve: str,
    blocks: np.ndarray,
    is_logarithmic: bool,
) -> list[dict[str, Any]]:
    """Return a label at the end of each curve, the higher one above its line."""
    ends: list[tuple[float, float, str, str]] = []
    for stack, record, colour in stacks:
        median = np.median(record.curves[curve], axis=0)
        drawn = np.flatnonzero(np.isfinite(median) & ((median > 0) | (not is_logarithmic)))
        if drawn.size:
            value = float(median[drawn[-1]])
            height = float(np.log10(value)) if is_logarithmic else value
            ends.append((height, float(blocks[drawn[-1]]), stack, colour))
    ends.sort()
    return [
        {
            "x": x,
            "y": height,
            "xref": "x",
            "yref": "y",
            "text": stack,
            "font": {"size": LABEL_SIZE + 1, "color": colour},
            "xanchor": "left",
            "xshift": 6,
            "yanchor": "bottom" if place else "top",
        }
        for place, (height, x, stack, colour) in enumerate(ends)
    ]


def _line(
    name: str, blocks: np.ndarray, values: np.ndarray, colour: str, width: float
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if blocks.size > 2 else "lines+markers",
        "name": name,
        "x": blocks,
        "y": values,
        "line": {"color": colour, "width": width},
        "hovertemplate": f"{name.split(':')[0]}, block %{{x}}: %{{y:.4g}}<extra></extra>",
    }


def _band(name: str, blocks: np.ndarray, values: np.ndarray, colour: str) -> list[dict[str, Any]]:
    """Return the range over runs as an area and the median as a line."""
    low, high = values.min(axis=0), values.max(axis=0)
    area = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}, range",
        "x": np.concatenate([blocks, blocks[::-1]]),
        "y": np.concatenate([high, low[::-1]]),
        "fill": "toself",
        "fillcolor": pale(colour, 0.22),
        "line": {"width": 0},
        "hoverinfo": "skip",
        **axes(1),
    }
    return [area, {**_line(name, blocks, np.median(values, axis=0), colour, 2.5), **axes(1)}]


def _trends(name: str, blocks: np.ndarray, spec: BlockSpec, theme: Theme) -> list[dict[str, Any]]:
    """Return the published trends of a curve as labelled lines."""
    to_end = blocks[::-1].astype(float)
    trends: dict[str, list[tuple[str, np.ndarray, float]]] = {}
    if spec.norms():
        trends["branch share"] = [("1/(l+1)", 1 / (blocks + 1.0), 0.25)]
        trends["gradient correlation"] = [("1/√L", to_end**-0.5, 0.5)]
    if spec.relus:
        factor = 2**spec.relus
        halved = (f"{factor}⁻ᴸ", float(factor) ** -to_end, 0.75)
        trends.setdefault("gradient correlation", []).insert(0, halved)
    return [
        {
            "type": "scatter",
            "mode": "lines+text",
            "name": f"trend {words}",
            "x": blocks,
            "y": values,
            "text": [words if at == int(part * blocks.size) else "" for at in range(blocks.size)],
            # There is space for the label below a falling curve and above a rising one.
            "textposition": "bottom left" if values[0] > values[-1] else "top left",
            "textfont": {"size": NOTE_SIZE, "color": theme.muted},
            "line": {"color": theme.muted, "width": 1, "dash": "dash"},
            "hovertemplate": f"{words}: %{{y:.4g}}<extra></extra>",
            **axes(1),
        }
        for words, values, part in trends.get(name, [])
    ]
