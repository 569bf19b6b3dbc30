"""The messages that show a trace's stage figure, the same as those of the page."""

from typing import Any

from explorer.analysis.colour_limits import Scope, channels, check_image
from explorer.analysis.downsampling import Window
from explorer.analysis.stage_view import stage_view
from explorer.export.figure_message import figure_message
from explorer.figures.stage import Part, stage_layouts
from explorer.figures.theme import THEMES, ThemeName
from explorer.linked_figure.payload import PanelPixel
from explorer.links.stage_link import PanelBlock, stage_link
from explorer.records import BlockTrace


def stage_message(
    trace: BlockTrace,
    channel: int,
    theme: ThemeName,
    *,
    pin: PanelPixel | None = None,
    scope: Scope = "block",
    window: Window | None = None,
    reported_window: str | None = None,
) -> dict[str, Any]:
    """Return the message of one channel.

    Args:
        trace: of one picture.
        channel: 0 … C−1.
        theme: "light" or "dark".
        pin: the pinned pixel.
        scope: which stages share a colour limit; see `stage_view`.
        window: the rows and columns drawn; None for all.
        reported_window: `PinLink.window`.
    """
    part, block = Part(stage_view(trace, channel, scope, window)), PanelBlock(trace)
    link = stage_link(
        [part],
        [block],
        [block],
        channel=channel,
        theme=theme,
        pin=pin,
        window=reported_window,
    )
    return figure_message(stage_layouts([part], theme=theme), link, theme)


def all_messages(
    trace: BlockTrace, *, pin: PanelPixel | None = None, scope: Scope = "block"
) -> dict[str, list[dict[str, Any]]]:
    """Return the messages of every channel, by theme, as `living_page` takes them."""
    count = channels(check_image(trace))
    return {
        theme: [
            stage_message(trace, channel, theme, pin=pin, scope=scope) for channel in range(count)
        ]
        for theme in THEMES
    }
