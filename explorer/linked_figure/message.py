"""One message to a linked figure, as JSON; `Message` in payload.d.ts is its type in the browser."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Literal

import plotly.graph_objects as go

from explorer.linked_figure.payload import Link, as_json, revision


def message(
    figure: go.Figure | Mapping[str, Any],
    *,
    theme: Literal["light", "dark"],
    accent: str,
    label: str = "",
    narrow: go.Layout | Mapping[str, Any] | None = None,
    link: Link | None = None,
    stale: bool = False,
    restored: bool = False,
    own_colours: bool = False,
    **host: Any,
) -> str:
    """Return the message that shows a figure.

    Args:
        figure: what to show, or its `data` and `layout` as plain dicts; the layout has a width, a
            height and margins in pixels, and is scaled to the space on the page.
        theme: the theme that it was drawn for.
        accent: CSS colour of the pixel under the pointer.
        label: what the figure shows, as a sentence for screen readers; the link's if it has one.
        narrow: the layout for small windows, for the same traces.
        link: what links its panels; None for a figure without interaction.
        stale: draw it pale, as a result of earlier settings.
        restored: the host took the pin or the box from elsewhere than from the browser.
        own_colours: use the theme's background and text colours, whatever the page's theme is.
        host: what the host alone has, such as the address of `plotly`.
    """
    drawn = {"figure": as_json(figure), "narrow": as_json(narrow) if narrow else "null"}
    digest = hashlib.blake2b("".join(drawn.values()).encode(), digest_size=8).hexdigest()
    others = {
        "digest": digest,  # the browser draws again only what has changed
        "revision": revision(link, digest),
        "label": link.label if link else label,
        "restored": restored,
        "stale": stale,
        "theme": theme,
        "own_colours": own_colours,
        "accent": accent,
        **host,
    }
    parts = {name: json.dumps(value) for name, value in others.items()}
    parts |= {**drawn, "link": as_json(asdict(link)) if link else "null"}
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def with_views(text: str, views: Iterable[str]) -> str:
    """Return a message with the messages of the figure's other views."""
    return f'{text[:-1]},"views":[{",".join(views)}]}}'
