"""What a saved page or a widget needs, made small; packed.js unpacks it in the browser."""

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from explorer.figures.theme import THEMES, ThemeName
from explorer.linked_figure.plotly_script import plotly_script


def packed(content: bytes) -> bytes:
    """Return the content, compressed; the same bytes at every call."""
    return gzip.compress(content, 9, mtime=0)


@cache
def packed_plotly() -> bytes:
    """Return plotly.js, compressed."""
    return packed(plotly_script())


def packed_messages(messages: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return messages as JSON, with equal arrays stored once."""
    numbers: dict[str, int] = {}

    def shared(part: Any) -> Any:
        if isinstance(part, Mapping):
            if "bdata" in part:
                return {"array": numbers.setdefault(json.dumps(part), len(numbers))}
            return {name: shared(value) for name, value in part.items()}
        if isinstance(part, list | tuple):
            return [shared(value) for value in part]
        return part

    found = shared(messages)
    return json.dumps({"arrays": [json.loads(text) for text in numbers], "messages": found})


def style_variables(theme: ThemeName) -> str:
    """Return the colours and the font that linked_figure.css uses, as CSS declarations."""
    colours = THEMES[theme]
    return (
        f"--st-text-color: {colours.text}; --st-background-color: {colours.page}; "
        f"--st-primary-color: {colours.identity}; --st-border-color: {colours.zeroed}; "
        "--st-font: system-ui, sans-serif; "
        f"color-scheme: {theme};"
    )
