"""The stage figure on the page, with its controls."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import get_args

import numpy as np

from explorer.analysis.colour_limits import Scope, channels
from explorer.analysis.downsampling import whole
from explorer.analysis.stage_view import difference_view, gradient_view, stage_views
from explorer.figures.comparison import comparison_layouts
from explorer.figures.stage import Part, stage_layouts
from explorer.linked_figure.payload import PinLink, View
from explorer.links.stage_link import PanelBlock, stage_link
from explorer.page.bar import Bar, part_of_row
from explorer.page.component import Picture, component_state, current_theme, linked_figure
from explorer.page.controls import integer_input, segmented_choice
from explorer.page.display import DisplaySettings, read_pin, read_window
from explorer.page.link_state import change_setting, setting
from explorer.records import GradientSplit

MAX_VIEW_BYTES = 4_000_000  # of a figure whose views the browser may have all
MAX_VIEWS = 64  # channels of one answer


def controls(
    key: str, bar: Bar, *blocks: PanelBlock, prefix: str = "", default_pin: str = ""
) -> DisplaySettings:
    """Draw the controls of channel and scale; return their values with the pin and the window.

    `prefix` begins their names in the URL, beside a network's figure with a channel of its own;
    `default_pin` is as in `read_pin`.
    """
    last = channels(*(block.trace for block in blocks)) - 1
    with bar.display, part_of_row():
        channel = integer_input("Channel", 0, last, key=f"{prefix}channel", width=130)
        scope: Scope = segmented_choice(
            "Colour scale",
            ("block", "stage", "map"),
            key=f"{prefix}scope",
            help="What shares one colour limit: the whole block, each stage over its channels, or "
            "each map alone. The limit is min(max |v|, 3·RMS).",
        )
    with bar.more:
        show = segmented_choice("Show", ("channel", "mean"), key=f"{prefix}show")
    shape = blocks[0].trace["x"].shape[:2]
    names = {name: shown for block in blocks for name, shown in block.shown_by().items()}
    return DisplaySettings(
        channel=None if show == "mean" else channel,
        scope=scope,
        theme=current_theme(key),
        pin=read_pin(key, names, shape, f"{prefix}pin", default_pin),
        window=read_window(key, shape),
        channel_key=f"{prefix}channel",
    )


def draw(
    key: str,
    blocks: Sequence[PanelBlock],
    display: DisplaySettings,
    *,
    difference: PanelBlock | None = None,
    cells: np.ndarray | None = None,
    report_window: bool = False,
    click: str = "",
) -> None:
    """Draw the stage figures of blocks with the same x as one figure.

    They lie beneath each other, or side by side if the first is a reference that has panels
    `elsewhere`, in the second.

    `difference` adds this block's values minus the first's, stage by stage; `report_window`
    asks the browser for the rows and columns in view; `cells` `(H, W)` bool are marked in
    every panel; `click` says what a click on a pixel does.
    """
    report_window = report_window or whole(blocks[0].trace["x"].shape[:2]).step > 1
    subject = ""
    if not report_window and cells is None:
        subject = _subject([*blocks, *([difference] if difference else [])], display, click)

    def picture(display: DisplaySettings) -> Picture:
        window = display.window if report_window else None
        views = stage_views(
            [block.trace for block in blocks], display.channel, display.scope, window
        )
        parts = [
            Part(view, block.prefix, block.heading, frozenset(block.elsewhere))
            for view, block in zip(views, blocks, strict=True)
        ]
        drawn = list(blocks)
        if difference:
            view = difference_view(blocks[0].trace, difference.trace, display.channel, window)
            parts.append(Part(view, difference.prefix, difference.heading))
            drawn.append(difference)
        link = _link(
            key,
            parts,
            drawn,
            blocks,
            display,
            report_window=report_window,
            cells=cells,
            click=click,
        )
        return _picture(parts, display, link, _view(subject, drawn, display))

    _show(key, picture, display)


def draw_gradient(
    key: str,
    split: GradientSplit,
    display: DisplaySettings,
    *,
    is_of_channel: bool = False,
    stale: bool = False,
) -> None:
    """Draw the stage figure with the gradients instead of the values, pale if it is `stale`.

    `is_of_channel` says that the gradients are of one channel alone, the one shown.
    """
    block = PanelBlock(split.as_trace, backward=True)
    report_window = whole(split.total.shape[:2]).step > 1
    subject = "" if report_window or is_of_channel else _subject([block], display)

    def picture(display: DisplaySettings) -> Picture:
        window = display.window if report_window else None
        parts = [Part(gradient_view(split, display.channel, display.scope, window))]
        link = _link(key, parts, [block], [block], display, report_window=report_window)
        return _picture(parts, display, link, _view(subject, [block], display))

    _show(key, picture, display, stale=stale)


def _subject(blocks: Sequence[PanelBlock], display: DisplaySettings, *words: str) -> str:
    """Return what identifies the figure's views; empty where their arrays are too large to send."""
    arrays = {id(stage): stage for block in blocks for stage in block.trace.stages.values()}
    if sum(each.nbytes for each in arrays.values()) > MAX_VIEW_BYTES:
        return ""
    digest = hashlib.blake2b(digest_size=8)
    headings = [(block.trace.spec, block.prefix, block.heading) for block in blocks]
    digest.update(repr((headings, display.theme, *words)).encode())
    for each in arrays.values():
        digest.update(np.ascontiguousarray(each).data)
    return digest.hexdigest()


def _view(subject: str, drawn: Sequence[PanelBlock], display: DisplaySettings) -> View:
    count = channels(*(block.trace for block in drawn))
    return View(subject, display.channel, count, display.scope)


def _link(
    key: str,
    parts: Sequence[Part],
    drawn: Sequence[PanelBlock],
    blocks: Sequence[PanelBlock],
    display: DisplaySettings,
    *,
    report_window: bool,
    cells: np.ndarray | None = None,
    click: str = "",
) -> PinLink:
    view = (component_state(key, "window") or "") if display.window else ""
    return stage_link(
        parts,
        drawn,
        blocks,
        channel=display.channel,
        theme=display.theme,
        pin=display.pin,
        acked_pin=component_state(key, "pin"),
        window=view if report_window else None,
        cells=cells,
        click=click,
    )


def _picture(parts: Sequence[Part], display: DisplaySettings, link: PinLink, view: View) -> Picture:
    if any(part.hidden for part in parts):
        figure = comparison_layouts(*parts, theme=display.theme)
    else:
        figure = stage_layouts(parts, theme=display.theme)
    return Picture(figure.spec(), figure.narrow, link, view)


def _show(
    key: str,
    picture: Callable[[DisplaySettings], Picture],
    display: DisplaySettings,
    *,
    stale: bool = False,
) -> None:
    shown = picture(display)

    def others() -> Iterator[Picture]:
        """Draw the nearest channels and the mean, and the other scales of the one shown."""
        first = max(0, (display.channel or 0) - MAX_VIEWS // 2)
        near = range(first, min(first + MAX_VIEWS, shown.view.channels))
        for channel in (*near, None):
            if channel != display.channel:
                yield picture(replace(display, channel=channel))
        for scope in get_args(Scope):
            if scope != display.scope:
                yield picture(replace(display, scope=scope))

    linked_figure(
        shown.figure,
        narrow=shown.narrow,
        key=key,
        theme=display.theme,
        link=shown.link,
        stale=stale,
        view=shown.view,
        others=others,
        controls={"channel": display.channel_key, "scope": "scope", "show": "show"},
        on_step_change=partial(_step, key, display.channel_key),
    )


def _step(key: str, channel_key: str) -> None:
    """Page up and Page down in the figure: `controls` keeps the channel within the block."""
    step = component_state(key, "step")
    if isinstance(step, int):
        change_setting(channel_key, max(0, setting(channel_key, 0) + step))
