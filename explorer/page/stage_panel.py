"""The stage figure on the page: channel, colour scale, pin and the window in view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import numpy as np
import streamlit as st

from explorer.analysis.colour_limits import Scope, channels
from explorer.analysis.downsampling import Window, whole
from explorer.analysis.receptive_field import receptive_fields
from explorer.analysis.stage_view import difference_view, gradient_view, stage_views
from explorer.figures.panels import panels
from explorer.figures.stage import Part, stage_layouts
from explorer.figures.theme import ThemeName
from explorer.linked_figure.payload import Link, PanelPixel
from explorer.page.component import component_state, current_theme, linked_figure
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.link_state import check
from explorer.page.readout import Line, block_readout, gradient_readout
from explorer.records import BlockTrace, GradientSplit

VARIANT_PREFIX = "variant "
Picture = TypeVar("Picture")
MAX_MARKED = 3000
HINT = (
    "Move over a panel to follow one pixel. A click pins it{click}; arrow keys move the pin, "
    "Escape removes it; drag to zoom, double-click to reset."
)
LABEL = (
    "The block's stages, linked pixel by pixel. Arrow keys move, Shift and arrow changes the "
    "panel, Enter pins the pixel{click}, Escape removes the pin, Page up and Page down change "
    "the channel."
)


@dataclass(frozen=True)
class DisplaySettings:
    """What the user has chosen to see; `channel` is None for the mean over channels."""

    channel: int | None
    scope: Scope
    theme: ThemeName
    pin: PanelPixel | None
    window: Window | None


@dataclass(frozen=True)
class Block:
    """A traced block in the picture, or its gradient: its panels' names begin with `prefix`."""

    trace: BlockTrace
    prefix: str = ""
    heading: str = ""
    backward: bool = False

    def panels(self) -> dict[str, str]:
        """Return the stage that each of its panels shows."""
        found = panels(self.trace.spec, self.backward).items()
        return {self.prefix + name: panel.stage for name, panel in found}


def controls(key: str, *blocks: Block) -> DisplaySettings:
    """Draw the controls of channel and scale; return them with what the figure reported."""
    last = channels(*(block.trace for block in blocks)) - 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = integer_input("Channel", 0, last, key="channel", width=140)
        show = segmented_choice("Show", ("channel", "mean"), key="show")
        scope: Scope = segmented_choice(
            "Colour scale",
            ("block", "stage", "map"),
            key="scope",
            help="What shares one colour limit: the whole block, each stage over its channels, or "
            "each map alone. The limit is min(max |v|, 3·RMS).",
        )
    shape = blocks[0].trace["x"].shape[:2]
    return DisplaySettings(
        channel=None if show == "mean" else channel,
        scope=scope,
        theme=current_theme(key),
        pin=_pin(key, [name for block in blocks for name in block.panels()], shape),
        window=_window(key, shape),
    )


def draw(
    key: str,
    blocks: Sequence[Block],
    display: DisplaySettings,
    *,
    difference: Block | None = None,
    cells: np.ndarray | None = None,
    wants_window: bool = False,
    click: str = "",
) -> None:
    """Draw the stage figures of blocks with the same x beneath each other, as one figure.

    `difference` adds what this block has more than the first, stage by stage; `cells`
    `(H, W)` bool are marked in every panel; `click` says what a click on a pixel does.
    """
    shape = blocks[0].trace["x"].shape[:2]
    watches = wants_window or whole(shape).step > 1
    window = display.window if watches else None
    views = stage_views([block.trace for block in blocks], display.channel, display.scope, window)
    parts = [
        Part(view, block.prefix, block.heading) for view, block in zip(views, blocks, strict=True)
    ]
    drawn = list(blocks)
    if difference:
        view = difference_view(blocks[0].trace, difference.trace, display.channel, window)
        parts.append(Part(view, difference.prefix, difference.heading))
        drawn.append(difference)
    _show_figure(key, parts, drawn, blocks, display, window, cells, watches, click)


def draw_gradient(key: str, split: GradientSplit, display: DisplaySettings) -> None:
    """Draw the stage figure with the gradients instead of the values."""
    block = Block(split.as_trace, backward=True)
    watches = whole(split.total.shape[:2]).step > 1
    window = display.window if watches else None
    view = gradient_view(split, display.channel, display.scope, window)
    _show_figure(key, [Part(view)], [block], [block], display, window, None, watches, "")


def _show_figure(
    key: str,
    parts: Sequence[Part],
    drawn: Sequence[Block],
    blocks: Sequence[Block],
    display: DisplaySettings,
    window: Window | None,
    cells: np.ndarray | None,
    watches: bool,
    click: str,
) -> None:
    """Puts the figure of `parts` on the page, which show the blocks `drawn`; readout and
    hover windows are of `blocks`."""
    shape = drawn[0].trace["x"].shape[:2]
    figure = stage_layouts(parts, theme=display.theme)
    link = Link(
        panels=tuple(
            name
            for part, block in zip(parts, drawn, strict=True)
            for name, stage in block.panels().items()
            if not part.view.panels[stage].is_blank
        ),
        rows=shape[0],
        cols=shape[1],
        label=LABEL.format(click=click),
        fields={name: field for block in blocks for name, field in _fields(block).items()},
        grids={name: grid for block in drawn for name, grid in _grids(block).items()},
        readout=tuple(_readout_line(block, display) for block in blocks),
        hint=HINT.format(click=click),
        pin=display.pin,
        exact=_exact(blocks, display),
        cells=_sample(cells),
        window=watches,
        view=(component_state(key, "window") or "") if window else "",
        title="Mean over channels" if display.channel is None else f"Channel {display.channel}",
        acked_pin=component_state(key, "pin"),
    )
    linked_figure(
        figure.spec(),
        narrow=figure.narrow,
        key=key,
        theme=display.theme,
        link=link,
        on_step_change=partial(_step, key),
    )


def both_layouts(draw: Callable[[Literal["wide", "narrow"]], Picture]) -> tuple[Picture, Picture]:
    """Return a figure in its wide and its narrow arrangement."""
    return draw("wide"), draw("narrow")


def _pin(key: str, names: Sequence[str], shape: tuple[int, ...]) -> PanelPixel | None:
    """Return the pinned pixel, as the figure last reported it or else as the URL has it."""
    check(
        "pin",
        lambda text: _parse_pixel(text, names, shape) is not None,
        f"a panel's name, a row from 0 to {shape[0] - 1} and a column from 0 to {shape[1] - 1}, "
        "separated by commas",
    )
    reported = component_state(key, "pin")
    pixel = _parse_pixel(
        reported if reported is not None else st.query_params.get("pin", ""), names, shape
    )
    if pixel:
        st.query_params["pin"] = f"{pixel.panel},{pixel.row},{pixel.col}"
    elif "pin" in st.query_params:
        del st.query_params["pin"]
    return pixel


def _parse_pixel(text: str, names: Sequence[str], shape: tuple[int, ...]) -> PanelPixel | None:
    parts = text.split(",")
    if len(parts) != 3:
        return None
    panel = parts[0] if parts[0] in names else parts[0].removeprefix(VARIANT_PREFIX)
    numbers = integers(parts[1:])
    if panel not in names or numbers is None:
        return None
    if not (0 <= numbers[0] < shape[0] and 0 <= numbers[1] < shape[1]):
        return None
    return PanelPixel(panel, numbers[0], numbers[1])


def _window(key: str, shape: tuple[int, ...]) -> Window | None:
    """Return the rows and columns in view; None for all, or for those of another shape."""
    numbers = integers((component_state(key, "window") or "").split(","))
    if numbers is None or len(numbers) != 6 or tuple(numbers[4:]) != shape:
        return None
    return Window(*numbers[:4]).within(shape)


def integers(parts: list[str]) -> list[int] | None:
    """Return the integers, if all parts are integers of one to seven digits."""
    if not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        return None
    return [int(part) for part in parts]


def _fields(block: Block) -> dict[str, dict[str, int]]:
    """Receptive fields by panel: the identity's panel was fed by x alone, pixel by pixel.

    A gradient has none: in train mode the batch statistics couple every pixel with all.
    """
    if block.backward:
        return {}
    spec, prefix = block.trace.spec, block.prefix
    fields = dict(receptive_fields(spec))
    if spec.identity == "x":
        fields["identity"] = {"x": 0}
    return {
        prefix + name: {prefix + source: radius for source, radius in field.items()}
        for name, field in fields.items()
    }


def _grids(block: Block) -> dict[str, tuple[int, int]]:
    grids = block.trace.spec.grids()
    return {
        panel: (grids[stage].offset, grids[stage].stride)
        for panel, stage in block.panels().items()
        if stage in grids  # the parts of a gradient lie on x as it is
    }


def _readout_line(block: Block, display: DisplaySettings) -> Line:
    spec, is_mean = block.trace.spec, display.channel is None
    if block.backward:
        return gradient_readout(spec, display.theme, is_mean)
    return block_readout(spec, block.prefix, block.heading, display.theme, is_mean)


def _exact(blocks: Sequence[Block], display: DisplaySettings) -> dict[str, float] | None:
    """Return the pinned pixel's own values, for panels that show means over blocks."""
    if display.pin is None or whole(blocks[0].trace["x"].shape[:2]).step == 1:
        return None
    values = {}
    for block in blocks:
        for panel, stage in block.panels().items():
            pixel = block.trace.pixel(stage, display.pin.row, display.pin.col)
            if pixel is None:
                continue
            if display.channel is None:
                values[panel] = float(pixel.mean())
            elif display.channel < pixel.size:
                values[panel] = float(pixel[display.channel])
    return values


def _sample(cells: np.ndarray | None) -> tuple[tuple[int, int], ...]:
    """Return at most `MAX_MARKED` of the cells, evenly sampled."""
    if cells is None:
        return ()
    places = np.argwhere(cells)
    return tuple((int(r), int(c)) for r, c in places[:: max(1, -(-len(places) // MAX_MARKED))])


def _step(key: str) -> None:
    """Page up and Page down in the figure: `controls` keeps the channel within the block."""
    step = component_state(key, "step")
    if isinstance(step, int):
        st.session_state["channel"] = max(0, st.session_state.get("channel", 0) + step)
