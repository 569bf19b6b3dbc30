"""The stage figure on the page: channel, scale, pin and the window in view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import streamlit as st

from explorer.analysis import receptive_fields
from explorer.detail import Window, whole
from explorer.figures.stage import PANELS, stage_spec
from explorer.figures.theme import THEMES, ThemeName
from explorer.page.controls import URL, choice
from explorer.page.linked_figure import Link, Place, current_theme, linked_figure, told
from explorer.trace import BlockTrace
from explorer.view import Scope, stage_view

KEY = "stages"
Picture = TypeVar("Picture")
MAX_MARKED = 3000
HINT = (
    "Move over a panel to follow one pixel. Click takes it apart, arrow keys move it, Escape lets "
    "go; drag zooms, double click resets."
)
LABEL = (
    "The block's stages, linked pixel by pixel. Arrow keys move, Shift and arrow changes the "
    "panel, Enter pins the pixel and opens its arithmetic, Escape lets go, Page up and Page down "
    "change the channel."
)


@dataclass(frozen=True)
class Shown:
    """What the reader has chosen to see: `channel` is None for the mean over channels."""

    channel: int | None
    scope: Scope
    theme: ThemeName
    pin: Place | None
    window: Window | None


def controls(trace: BlockTrace) -> Shown:
    """Draws channel and scale, and reads what the figure told."""
    last = trace.features - 1
    if st.session_state.get("channel", 0) > last:
        st.session_state["channel"] = last
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = st.number_input("Channel", 0, last, key="channel", bind=URL, width=140)
        show = choice("Show", ("channel", "mean"), key="show")
        scope: Scope = choice(
            "Colour scale",
            ("block", "stage", "map"),
            key="scope",
            help="What shares one colour limit: the whole block, each stage over its channels, or "
            "each map alone. The limit is min(max |v|, 3·RMS).",
        )
    return Shown(
        channel=None if show == "mean" else channel,
        scope=scope,
        theme=current_theme(KEY),
        pin=_pin(trace),
        window=_window(trace),
    )


def draw(trace: BlockTrace, shown: Shown, cells: np.ndarray | None, wants_window: bool) -> None:
    """Draws the stage figure; `cells` `(H, W)` bool are marked in every panel."""
    shape = trace["x"].shape[:2]
    watches = wants_window or whole(shape).step > 1
    window = shown.window if watches else None
    view = stage_view(trace, shown.channel, shown.scope, window)
    wide, narrow = both(
        lambda arrangement: stage_spec(view, theme=shown.theme, arrangement=arrangement)
    )
    link = Link(
        panels=tuple(PANELS),
        rows=shape[0],
        cols=shape[1],
        label=LABEL,
        fields=_fields(),
        ledger=_ledger(shown.theme, is_mean=shown.channel is None),
        hint=HINT,
        pin=shown.pin,
        exact=_exact(trace, shown),
        cells=_sample(cells),
        window=watches,
        view=(told(KEY, "window") or "") if window else "",
        title="Mean over channels" if shown.channel is None else f"Channel {shown.channel}",
        heard=told(KEY, "pin"),
    )
    linked_figure(
        wide,
        narrow=narrow["layout"],
        key=KEY,
        theme=shown.theme,
        link=link,
        on_step_change=_step,
    )


def both(draw: Callable[[Literal["wide", "narrow"]], Picture]) -> tuple[Picture, Picture]:
    """A picture in its wide and its narrow arrangement."""
    return draw("wide"), draw("narrow")


def _pin(trace: BlockTrace) -> Place | None:
    """The pinned pixel, as the figure last told or else as the link says; it is kept in the URL."""
    said = told(KEY, "pin")
    place = _place(said if said is not None else st.query_params.get("pin", ""), trace)
    if place:
        st.query_params["pin"] = f"{place.panel},{place.row},{place.col}"
    elif "pin" in st.query_params:
        del st.query_params["pin"]
    return place


def _place(text: str, trace: BlockTrace) -> Place | None:
    parts = text.split(",")
    if len(parts) != 3 or parts[0] not in PANELS:
        return None
    numbers = _integers(parts[1:])
    height, width = trace["x"].shape[:2]
    if numbers is None or not (0 <= numbers[0] < height and 0 <= numbers[1] < width):
        return None
    return Place(parts[0], numbers[0], numbers[1])


def _window(trace: BlockTrace) -> Window | None:
    """The rows and columns in view, unless the figure told of another shape or of all."""
    numbers = _integers((told(KEY, "window") or "").split(","))
    shape = trace["x"].shape[:2]
    if numbers is None or len(numbers) != 6 or tuple(numbers[4:]) != shape:
        return None
    return Window(*numbers[:4]).within(shape)


def _integers(parts: list[str]) -> list[int] | None:
    if not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        return None
    return [int(part) for part in parts]


def _fields() -> dict[str, dict[str, int]]:
    """Receptive fields by panel: the identity's panel was fed by x alone, pixel by pixel."""
    return {**receptive_fields(), "identity": {"x": 0}}


def _ledger(theme: ThemeName, is_mean: bool) -> tuple[dict[str, Any], ...]:
    """The sum in numbers. Means add up too, but the ReLU is taken before the mean."""
    colours, of = THEMES[theme], "mean " if is_mean else ""
    terms = (
        {"panel": "x", "text": f"{of}x", "colour": colours.identity},
        {"text": "+"},
        {"panel": "bn2", "text": f"{of}F(x)", "colour": colours.branch},
        {"text": "="},
        {"panel": "add", "text": f"{of}add"},
    )
    if is_mean:
        return (*terms, {"text": "· ReLU before the mean:"}, {"panel": "out", "text": "mean out"})
    return (
        *terms,
        {"text": "→ ReLU →"},
        {"panel": "out", "text": "out"},
        {"larger": ["x", "bn2"], "say": ["x contributes more", "F(x) contributes more"]},
        {"negative": "add", "say": ["zeroed"]},
    )


def _exact(trace: BlockTrace, shown: Shown) -> dict[str, float] | None:
    """The pinned pixel's own values, for panels that show means of many."""
    if shown.pin is None or whole(trace["x"].shape[:2]).step == 1:
        return None
    values = {}
    for panel, (stage, *_) in PANELS.items():
        pixel = trace[stage][shown.pin.row, shown.pin.col]
        values[panel] = float(pixel.mean() if shown.channel is None else pixel[shown.channel])
    return values


def _sample(cells: np.ndarray | None) -> tuple[tuple[int, int], ...]:
    """At most `MAX_MARKED` of the cells, evenly taken."""
    if cells is None:
        return ()
    places = np.argwhere(cells)
    return tuple((int(r), int(c)) for r, c in places[:: max(1, -(-len(places) // MAX_MARKED))])


def _step() -> None:
    """Page up and Page down in the figure: `controls` keeps the channel within the block."""
    step = told(KEY, "step")
    if isinstance(step, int):
        st.session_state["channel"] = max(0, st.session_state.get("channel", 0) + step)
