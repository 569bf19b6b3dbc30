"""plotly.js with the chart types on two axes, a third of the whole; `make plotly` renews it."""

import re
from functools import cache
from importlib.resources import files


@cache
def plotly_script() -> bytes:
    """Return the script, which defines `Plotly` in the browser."""
    return (files("explorer.linked_figure") / "plotly" / "plotly-cartesian.min.js").read_bytes()


@cache
def plotly_version() -> str:
    """Return the version of plotly.js, as the script's first lines state it."""
    found = re.search(rb"plotly\.js \(cartesian - minified\) v([0-9.]+)", plotly_script()[:200])
    if found is None:
        raise ValueError("plotly-cartesian.min.js does not state its version; run `make plotly`.")
    return found[1].decode()
