"""A linked figure's message as a dict, for hosts other than the page."""

import json
from typing import Any

from explorer.figures.theme import THEMES, ThemeName
from explorer.figures.two_layouts import TwoLayouts
from explorer.linked_figure.message import message
from explorer.linked_figure.payload import PinLink


def figure_message(layouts: TwoLayouts, link: PinLink, theme: ThemeName) -> dict[str, Any]:
    """Return the message that shows a figure in a theme."""
    accent = THEMES[theme].accent
    text = message(layouts.spec(), narrow=layouts.narrow, link=link, theme=theme, accent=accent)
    found: dict[str, Any] = json.loads(text)
    return found
