"""Text of the network figure: names, numbers under the blocks, key and colour bar."""

from itertools import islice
from typing import Any

import numpy as np

from explorer.analysis.network_view import BlockView, NetworkView
from explorer.figures.network_arrangement import BlockPlace, NetworkArrangement
from explorer.figures.network_shapes import full_ratio
from explorer.figures.panels import equation
from explorer.figures.sheet import text
from explorer.figures.theme import LABEL_SIZE, NOTE_SIZE, TITLE_SIZE, Theme
from explorer.figures.wires import on_paper
from explorer.model.spec import Layers

KEY_LINE = 18  # height of a line of the key
KEY_GAP = 6
LETTER = 6  # width of a letter in notes


def network_texts(
    arranged: NetworkArrangement, view: NetworkView, key: list[str], theme: Theme
) -> list[dict[str, Any]]:
    """Return every annotation but the colour bar's."""
    found = [
        text(0, 1, "<br>".join(key), align="left", font={"size": TITLE_SIZE}, yshift=KEY_GAP),
        _centred(arranged, arranged.stem.middle, "stem", LABEL_SIZE),
        _centred(arranged, arranged.head.middle, "head", LABEL_SIZE),
    ]
    note = {"size": NOTE_SIZE, "color": theme.muted}
    for place, block in zip(arranged.blocks, view.blocks, strict=True):
        if block.spec.shortcut:
            words = _shortcut_words(block.spec.shortcut, place.shortcut.width)
            found.append(_centred(arranged, place.shortcut.middle, words, NOTE_SIZE))
        name = f"<b>{_block_name(block, place)}</b>"
        found.append(_centred(arranged, place.name, name, LABEL_SIZE))
        numbers = "<br>".join(number_lines(block, view, theme))
        corner = on_paper(arranged, place.numbers)
        found.append(text(*corner, numbers, yanchor="top", align="left", font=note, xshift=-2))
    return found + (_headings(arranged, view) if view.is_staged else [])


def _headings(arranged: NetworkArrangement, view: NetworkView) -> list[dict[str, Any]]:
    """Return name and shape of every stage, where its first row begins."""
    found, places = [], iter(arranged.blocks)
    for blocks in view.stages:
        place, *_ = islice(places, len(blocks))
        words = "×".join(map(str, blocks[0].shape))
        words = f"<b>{blocks[0].stage}</b> {words}".replace("<b></b> ", "")
        x, y = on_paper(arranged, place.heading)
        side = "left" if place.step > 0 else "right"
        style = {"xanchor": side, "yanchor": "top", "font": {"size": TITLE_SIZE}}
        found.append(text(x, y, words, **style))
    return found


def _block_name(block: BlockView, place: BlockPlace) -> str:
    """Return a block's name, or where its loop is too narrow, its name within the stage."""
    if len(block.name) * LETTER <= abs(place.plus[0] - place.fork[0]):
        return block.name
    return block.name.removeprefix(f"{block.stage}.")


def number_lines(block: BlockView, view: NetworkView, theme: Theme) -> list[str]:
    """Return the numbers under a block, line by line."""
    words = f"‖F‖/‖x‖ {_ratio(block.ratio)}"
    if block.stream_ratio is not None:
        words = f"ΔF {_share(block.ratio)}"
    lines = [f"<span style='color:{theme.branch}'>{words}</span>"]
    if block.stream_ratio is not None:
        lines.append(f"Δout {_share(block.stream_ratio)}")
    elif block.spec.last_relu_input:
        part = "–" if np.isnan(block.zeroed_part) else f"{block.zeroed_part:.0%}"
        # A stage's heading has the number of channels.
        dead = f"dead {block.dead}" + ("" if view.is_staged else f" of {block.shape[2]}")
        lines += [f"zeroed {part}", dead]
    if view.scope == "map":
        lines += [f"F(x) ±{_short(block.residual.limit)}", f"out ±{_short(block.stream.limit)}"]
    return lines


def key_lines(view: NetworkView, theme: Theme, *, is_wide: bool) -> list[str]:
    """Return the lines above the figure, which say what line, loops and bars are."""
    lines, notes = _difference_key(view, theme) if view.is_difference else _key(view, theme)
    if view.scope == "stage":
        limits = view.blocks[0].residual.limit, view.stem.limit
        notes.append("scale: F(x) ±{:.3g}, out ±{:.3g}".format(*limits))
    if is_wide:
        lines, notes = ["; ".join(lines)], ["; ".join(notes)]
    style = f"font-size:{NOTE_SIZE}px;color:{theme.muted}"
    return [*lines, *(f"<span style='{style}'>{note}</span>" for note in notes)]


def _difference_key(view: NetworkView, theme: Theme) -> tuple[list[str], list[str]]:
    """Return lines and notes of a difference."""
    branch = f"<span style='color:{theme.branch}'>F(x)</span>"
    stream = "out of every block"
    if view.is_residual:
        stream = f"<span style='color:{theme.identity}'><b>residual stream</b></span>"
    lines = ["<b>Difference</b>: other − reference", f"of {branch} and of the {stream}"]
    notes = [
        "ΔF, Δout: ‖difference‖/‖reference‖",
        f"bar: ΔF from 0 to {full_ratio(view):.3g}",
    ]
    return lines, notes


def _key(view: NetworkView, theme: Theme) -> tuple[list[str], list[str]]:
    """Return lines and notes of a trace."""
    branch, formula = (
        f"<span style='color:{theme.branch}'>F(x)</span>",
        equation(view.blocks[0].spec, theme),
    )
    if not view.is_residual:
        lines = [f"<b>Plain network</b>: {formula}", "out is the next block’s x"]
        notes = ["Under each block: out"]
    else:
        stream = f"<span style='color:{theme.identity}'><b>Residual stream</b></span>"
        lines = [f"{stream} from stem to head", f"⊕ adds {branch}: {formula}"]
        notes = ["Under the line: out, the stream after the block"]
    notes.append(f"bar: ‖F‖/‖x‖ from 0 to {full_ratio(view):.3g}")
    if view.blocks[0].spec.last_relu_input:
        notes[-1] += "; grey: zeroed by the last ReLU"
    return lines, notes


def _shortcut_words(layers: Layers, width: float) -> str:
    """Return the labels of a shortcut's layers, as many as fit; for none of them its size."""
    labels = [layer.label for _, layer in layers]
    for count in range(len(labels), 0, -1):
        words = " → ".join(labels[:count])
        if len(words) * LETTER <= width:
            return words
    label = labels[-2 if len(labels) > 1 else 0]
    return label.replace(" conv", "").replace("zero channels", "zeros")


def _centred(
    arranged: NetworkArrangement, point: tuple[float, float], words: str, size: int
) -> dict[str, Any]:
    middle = on_paper(arranged, point)
    return text(*middle, words, xanchor="center", yanchor="middle", font={"size": size})


def _short(limit: float) -> str:
    return f"{limit:.0f}" if 100 <= limit < 9999.5 else f"{limit:.2g}".replace("e+0", "e")


def _share(value: float) -> str:
    """Return the size of a difference, of which small ones matter too."""
    return f"{value:.0e}" if 0 < value < 0.005 else _ratio(value)


def _ratio(value: float) -> str:
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞"
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.3g}" if value < 999.5 else f"{value:.0e}"
