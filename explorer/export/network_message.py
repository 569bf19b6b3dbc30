"""The messages that show a trained network's figure, the same as those of the page."""

from typing import Any

from explorer.analysis.colour_limits import Scope
from explorer.export.figure_message import figure_message
from explorer.figures.network import network_layouts
from explorer.figures.theme import THEMES
from explorer.linked_figure.payload import PanelPixel
from explorer.links.network_link import network_link, panel_arrays
from explorer.records import NetworkTrace


def network_messages(
    trace: NetworkTrace, *, pin: PanelPixel | None = None, scope: Scope = "block"
) -> dict[str, list[dict[str, Any]]]:
    """Return the messages of every channel that all blocks have, by theme."""
    return {
        theme: [
            figure_message(
                network_layouts(trace, channel=channel, scope=scope, theme=theme),
                network_link(trace, channel=channel, theme=theme, pin=pin),
                theme,
            )
            for channel in range(common_channels(trace))
        ]
        for theme in THEMES
    }


def network_size(trace: NetworkTrace) -> int:
    """Return the bytes of the arrays in the messages."""
    count = common_channels(trace)
    return sum(array[..., :count].nbytes for array, _ in panel_arrays(trace).values())


def common_channels(trace: NetworkTrace) -> int:
    """Return how many channels all blocks have."""
    return min(array.shape[-1] for array, _ in panel_arrays(trace).values())
