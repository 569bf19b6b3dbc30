"""One cell's arithmetic as a figure, with its equation."""

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.analysis.pixel import (
    Activation,
    Arithmetic,
    AttentionSum,
    Copy,
    Input,
    Normalisation,
    Pooled,
    Product,
    Sum,
    WeightedSum,
)
from explorer.errors import InputError, describe
from explorer.figures.panels import shortcut_name
from explorer.figures.pixel_parts import (
    activation_parts,
    attention_parts,
    input_parts,
    no_parts,
    normalisation_parts,
    sum_parts,
    weighted_sum_data,
    weighted_sum_layout,
)
from explorer.figures.printed import ROUNDED, adds_up, multiplies_out
from explorer.figures.sheet import MARGIN, format_number, text
from explorer.figures.theme import NOTE_SIZE, TITLE_SIZE, Theme, ThemeName, theme_of
from explorer.figures.two_layouts import ArrangementName, TwoLayouts

TILES = {"wide": 8, "narrow": 3}
MAX_PRINTED = 9  # values of a pooling window
NARROW_LINE, NARROW_NOTE = 48, 60  # characters of a line in a small window


def arithmetic_figure(
    found: Arithmetic, *, theme: ThemeName = "light", arrangement: ArrangementName = "wide"
) -> go.Figure:
    """Draw how a cell's value was computed.

    A convolution is drawn as window × kernel = products for the input channels that
    contribute most, and as a bar for every channel's contribution; a norm as the histogram
    of the values; an activation as its curve; the addition as its two terms; attention as
    the weight and value of every pixel.
    """
    return arithmetic_layouts(found, theme=theme).figure(arrangement)


def arithmetic_layouts(found: Arithmetic, *, theme: ThemeName) -> TwoLayouts:
    """Return the figure of `arithmetic_figure` in both layouts."""
    palette = theme_of(theme)
    if not isinstance(found, Arithmetic):
        raise InputError(f"found must be the result of explain, got {describe(found)}.")
    match found:
        case WeightedSum():
            data = weighted_sum_data(found, palette, TILES["wide"])
            layout = weighted_sum_layout(found, palette, TILES["wide"])
        case Normalisation():
            data, layout = normalisation_parts(found, palette)
        case Activation():
            data, layout = activation_parts(found, palette)
        case Sum():
            data, layout = sum_parts(found, palette)
        case Input():
            data, layout = input_parts(found, palette)
        case AttentionSum():
            data, layout = attention_parts(found, palette)
        case Product() | Copy() | Pooled():
            data, layout = no_parts(palette)
    narrow = layout
    if isinstance(found, WeightedSum):
        narrow = weighted_sum_layout(found, palette, TILES["narrow"])
    lines = equation(found)
    return TwoLayouts(
        data,
        _with_equation(layout, (" ".join(lines),), tuple(_notes(found)), palette),
        _with_equation(
            narrow,
            _wrapped(lines, NARROW_LINE),
            _wrapped(_notes(found), NARROW_NOTE),
            palette,
            left=narrow["margin"]["l"] - MARGIN,
        ),
    )


def _with_equation(
    layout: dict[str, Any],
    lines: tuple[str, ...],
    notes: tuple[str, ...],
    theme: Theme,
    left: float = 0,
) -> dict[str, Any]:
    """Return the layout with equation and notes above it, `left` pixels left of the axes."""
    style = f"font-size:{NOTE_SIZE}px;color:{theme.muted}"
    both = "<br>".join((*lines, f"<span style='{style}'>{'<br>'.join(notes)}</span>"))
    note = text(0, 1, both, yshift=20, xshift=-left, align="left", font={"size": TITLE_SIZE + 1})
    top = 34 + 20 * (both.count("<br>") + 1)
    return layout | {
        "annotations": [*layout["annotations"], note],
        "margin": layout["margin"] | {"t": top},
        "height": layout["height"] + top,
        "meta": {"fixedHeight": True},
    }


def _wrapped(lines: Sequence[str], characters: int) -> tuple[str, ...]:
    """Return lines of at most so many characters."""
    return tuple(
        part
        for line in lines
        for part in textwrap.wrap(line, characters, break_long_words=False, break_on_hyphens=False)
    )


def equation(found: Arithmetic) -> tuple[str, ...]:
    """Return the lines of the equation with its numbers; the last is "= value".

    It adds "(rounded)" where the printed numbers do not give the printed value.
    """
    at = found.cell
    name = f"<b>{at.stage}</b>[{at.row}, {at.col}]"
    value = f"<b>= {format_number(found.value)}</b>{'' if _is_exact(found) else f' {ROUNDED}'}"
    match found:
        case WeightedSum(window=window):
            cells = f" × {window.shape[0] ** 2} cells" if window.shape[0] > 1 else ""
            what = f"= Σ over {found.order.size} channels{cells} of {found.source} · kernel"
            return (name, f"{what} + bias {format_number(found.bias)}", value)
        case Normalisation():
            top = f"({format_number(found.v)} − {_bracketed(found.mean)})"
            root = f"√({format_number(found.var)} + {found.epsilon:g})".replace("-", "−")
            scale = f"· {format_number(found.gamma)} + {_bracketed(found.beta)}"
            symbols = "= (v − μ) / √(σ² + ε) · γ + β"
            return (name, symbols, f"= {top} / {root} {scale}", value)
        case Activation(function="ReLU"):
            return (name, f"= max(0, {found.source}) = max(0, {format_number(found.v)})", value)
        case Activation():
            gelu = "½ v (1 + tanh(√(2/π) (v + 0.044715 v³)))"
            return (name, f"= {gelu} with v = {found.source} = {format_number(found.v)}", value)
        case Product():
            return (name, f"= {format_number(found.factor)} · {_bracketed(found.v)}", value)
        case Copy(source=None):
            return (name, "is in a zero channel that the shortcut adds", value)
        case Copy():
            return (name, f"= {found.source}[{found.at[0]}, {found.at[1]}]", value)
        case Pooled(window=window, inside=inside, function=function):
            cells = f"{function} over {int(inside.sum())} cells of {found.source}"
            printed = ", ".join(format_number(v) for v in window[inside][:MAX_PRINTED])
            more = ", …" if inside.sum() > MAX_PRINTED else ""
            return (name, f"= {cells} = {function}({printed}{more})", value)
        case Sum():
            terms = f"{format_number(found.residual)} + {_bracketed(found.identity)}"
            return (name, f"= F(x) + {shortcut_name(found.shortcut)} = {terms}", value)
        case AttentionSum():
            count = found.weights.size
            what = f"= Σ over {count:,} pixels of weight · value + bias {format_number(found.bias)}"
            return (name, what, value)
        case Input():
            return (name, "is the block's input", value)


def equation_in_words(found: Arithmetic) -> str:
    """Return the equation as one sentence without markup, for screen readers."""
    return f"The arithmetic of {re.sub('<[^>]*>', '', ' '.join(equation(found)))}."


def _is_exact(found: Arithmetic) -> bool:
    """Return whether the printed numbers give the printed value, digit by digit."""
    value = format_number(found.value)
    match found:
        case Sum():
            return adds_up([format_number(found.residual), format_number(found.identity)], value)
        case Product():
            return multiplies_out([format_number(found.factor), format_number(found.v)], value)
        case Normalisation():
            return False  # its root is irrational
        case Pooled(function=function):
            return function == "max"
        case Activation(function=function):
            return function == "ReLU"
    return True  # no terms are printed


def _bracketed(value: float) -> str:
    return f"({format_number(value)})" if value < 0 else format_number(value)


def _notes(found: Arithmetic) -> list[str]:
    """Return notes on the figure, and the difference from the traced value."""
    off = found.value - found.traced
    rounding = f"{off:.1e} (float32 rounding)".replace("-", "−") if off else "0"
    notes = [f"traced value: {format_number(found.traced)}, difference {rounding}"]
    match found:
        case Normalisation(statistics=statistics):
            where = {
                "batch": "the batch statistics of",
                "running": "the running statistics of",
                "pixel": "computed over the channels of this pixel of",
            }[statistics]
            notes.insert(0, f"μ and σ² are {where} {found.source}")
        case Pooled(inside=inside):
            if missing := inside.size - int(inside.sum()):
                notes.insert(
                    0,
                    f"{missing} of {inside.size} cells lie outside {found.source} and do not count",
                )
        case WeightedSum(inside=inside):
            if missing := inside.size - int(inside.sum()):
                notes.insert(
                    0,
                    f"{missing} of {inside.size} cells lie outside {found.source}, where the "
                    "padding is 0",
                )
            notes.insert(
                0,
                "cells: the channels that contribute most, rounded to two decimals; bars: every "
                "channel's contribution",
            )
        case AttentionSum():
            notes.insert(0, "weight = softmax(q · k / √C) for this pixel's query q")
    return notes
