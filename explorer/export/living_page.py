"""A linked figure as one HTML file, which needs neither a server nor a network."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from explorer.errors import InputError
from explorer.export.packed import packed, packed_messages, packed_plotly
from explorer.figures.theme import style_variables

MAX_BYTES = 2**25  # of the file, 32 MB


def living_page(
    messages: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    title: str,
    description: str,
    channel: int = 0,
    link: str = "",
) -> str:
    """Return an HTML file in which a figure can be used as on the page.

    Args:
        messages: to the linked figure, by theme ("light" and "dark"): one for each channel.
        title: what the figure shows.
        description: a sentence or two below the title.
        channel: the one shown first.
        link: address of the page with the same settings; empty for none.

    Raises:
        InputError: the file would have more than 32 MB.
    """
    script = _file("joined.js")
    count = len(messages["light"])
    text = Template(_file("living_page.html")).substitute(
        light=style_variables("light"),
        dark=style_variables("dark"),
        policy=escape(_policy(script)),
        title=escape(title),
        description=escape(description),
        styles=(files("explorer.linked_figure") / "linked_figure.css").read_text(encoding="utf-8"),
        channels=_channel_field(count, channel) if count > 1 else "",
        footer=_footer(link),
        plotly=_base64(packed_plotly()),
        messages=_base64(packed(packed_messages(messages).encode())),
        script=script,
    )
    if len(text) > MAX_BYTES:
        raise InputError(
            f"The page would have {len(text) / 2**20:,.0f} MB; the limit is "
            f"{MAX_BYTES / 2**20:,.0f} MB. Choose a smaller input or fewer channels."
        )
    return text


def _policy(script: str) -> str:
    """Return a content policy that permits this script and what it unpacks, and no network."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _channel_field(count: int, channel: int) -> str:
    return (
        f'<p><label>Channel <input id="channel" type="number" min="0" max="{count - 1}" '
        f'value="{channel}" autocomplete="off"></label></p>'
    )


def _footer(link: str) -> str:
    words = "Made with the residual block explorer."
    if not link.startswith(("https://", "http://")):
        return words
    return f'{words} <a href="{escape(link)}">Open it with these settings</a>.'


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _file(name: str) -> str:
    return (files("explorer.export") / name).read_text(encoding="utf-8")
