"""The network figure on the page, and the block and pixel that the user has clicked.

The figure of a difference has the same links.
"""

from dataclasses import dataclass

from explorer.analysis.colour_limits import Scope
from explorer.analysis.network_difference import NetworkDifference
from explorer.figures.network import network_difference_layouts, network_layouts
from explorer.figures.two_layouts import TwoLayouts
from explorer.linked_figure.payload import PanelPixel
from explorer.links.network_link import network_link, panel_blocks
from explorer.page.component import component_state, current_theme, linked_figure
from explorer.page.display import read_pin
from explorer.records import NetworkTrace


@dataclass(frozen=True)
class NetworkPin:
    """The thumbnail and pixel that the user has clicked; `block` is None on the stem's."""

    block: str | None
    pixel: PanelPixel


@dataclass(frozen=True)
class ShownNetwork:
    """What the network figure shows, and what the user has clicked, if anything."""

    channel: int | None
    scope: Scope
    pinned: NetworkPin | None = None

    @property
    def clicked(self) -> str | None:
        """The block that the user has clicked."""
        return self.pinned.block if self.pinned else None

    @property
    def pin(self) -> PanelPixel | None:
        """The pixel that the user has clicked."""
        return self.pinned.pixel if self.pinned else None


def network_panel(
    key: str,
    trace: NetworkTrace,
    *,
    channel: int | None,
    scope: Scope = "block",
) -> NetworkPin | None:
    """Draw the network figure; return what the user has clicked.

    Args:
        key: name of the figure on the page.
        trace: the trace of one picture.
        channel: 0 … C−1, or None for the mean over channels.
        scope: which maps share a colour limit; see `analysis.network_view`.

    Returns:
        The pinned pixel and its block; None while nothing is pinned.
    """
    layouts = network_layouts(trace, channel=channel, scope=scope, theme=current_theme(key))
    return _draw(key, layouts, trace, channel, "network_pin")


def network_difference_panel(
    key: str,
    difference: NetworkDifference,
    *,
    channel: int | None,
    scope: Scope = "block",
) -> NetworkPin | None:
    """Draw the figure of a difference; arguments and result as for `network_panel`."""
    theme = current_theme(key)
    layouts = network_difference_layouts(difference, channel=channel, scope=scope, theme=theme)
    return _draw(key, layouts, difference.trace, channel, "difference_pin", is_difference=True)


def _draw(
    key: str,
    layouts: TwoLayouts,
    trace: NetworkTrace,
    channel: int | None,
    parameter: str,
    is_difference: bool = False,
) -> NetworkPin | None:
    """Draw a figure of a trace; `parameter` is the name of the pin in the URL."""
    theme, blocks = current_theme(key), panel_blocks(trace)
    reported = component_state(key, "pin")
    pin = read_pin(key, {name: name for name in blocks}, trace.stream["stem"].shape[:2], parameter)
    link = network_link(
        trace,
        channel=channel,
        theme=theme,
        pin=pin,
        acked_pin=reported,
        is_difference=is_difference,
        click=" and selects the block",
    )
    linked_figure(layouts.spec(), narrow=layouts.narrow, key=key, theme=theme, link=link)
    return NetworkPin(blocks[pin.panel], pin) if pin else None
