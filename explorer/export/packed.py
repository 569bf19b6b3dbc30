"""What a saved page or a widget needs, made small; packed.js unpacks it in the browser."""

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

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
