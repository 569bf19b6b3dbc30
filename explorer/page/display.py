"""What the user has chosen to see: channel, colour scale, pinned pixel and rows and columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from explorer.analysis.colour_limits import Scope
from explorer.analysis.downsampling import Window
from explorer.figures.theme import ThemeName
from explorer.linked_figure.payload import PanelPixel
from explorer.links.reported import integers, window_of
from explorer.page.component import component_state
from explorer.page.link_state import check, publish

VARIANT_PREFIX = "variant "
NO_PIN = "none"


@dataclass(frozen=True)
class DisplaySettings:
    """What the user has chosen to see; `channel` is None for the mean over channels.

    `channel_key` is the key of the control of the channel.
    """

    channel: int | None
    scope: Scope
    theme: ThemeName
    pin: PanelPixel | None
    window: Window | None
    channel_key: str = "channel"


def read_pin(
    key: str,
    names: Mapping[str, str],
    shape: tuple[int, ...],
    parameter: str = "pin",
    default: str = "",
) -> PanelPixel | None:
    """Return the pinned pixel, as the figure last reported it or else as the URL has it.

    `names` are those of the panels that may be named, with the panel that shows each. `default` is
    the pin of a URL without one; where there is a default, the URL says so if the user has removed
    the pin.
    """
    check(
        parameter,
        lambda text: text == NO_PIN or parse_pixel(text, names, shape) is not None,
        f"a panel's name, a row from 0 to {shape[0] - 1} and a column from 0 to {shape[1] - 1}, "
        "separated by commas",
    )
    linked, reported = st.query_params.get(parameter, default), component_state(key, "pin")
    pixel = parse_pixel(linked if reported is None else reported, names, shape)
    usual = parse_pixel(default, names, shape)
    removed = NO_PIN if usual or linked == NO_PIN else None  # stays in the URL of other views
    publish(parameter, pixel.text if pixel else removed, usual.text if usual else None)
    return pixel


def parse_pixel(text: str, names: Mapping[str, str], shape: tuple[int, ...]) -> PanelPixel | None:
    """Return the pixel of a text "panel,row,column"; None if there is no such pixel."""
    parts = text.split(",")
    if len(parts) != 3:
        return None
    panel = parts[0] if parts[0] in names else parts[0].removeprefix(VARIANT_PREFIX)
    row_col = integers(parts[1:])
    if panel not in names or row_col is None:
        return None
    row, col = row_col
    if not (0 <= row < shape[0] and 0 <= col < shape[1]):
        return None
    return PanelPixel(names[panel], row, col)


def read_window(key: str, shape: tuple[int, ...]) -> Window | None:
    """Return the rows and columns in view; None for all, or for those of another shape."""
    return window_of(component_state(key, "window") or "", shape)
