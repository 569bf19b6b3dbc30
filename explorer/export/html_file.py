"""The living pages of a trace and of a network, and the first as a file."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from explorer.analysis.colour_limits import Scope, check_image
from explorer.errors import InputError, check_path, describe
from explorer.export.living_page import MAX_BYTES, living_page
from explorer.export.network_message import common_channels, network_messages, network_size
from explorer.export.stage_message import all_messages
from explorer.linked_figure.payload import PanelPixel
from explorer.records import BlockTrace, NetworkTrace


def to_html(trace: BlockTrace, path: str | Path) -> None:
    """Write a page with a trace's stage figure, which needs neither a server nor a network.

    Hover, pin, keys and channels work as on the page. A file of this name is replaced; where
    writing fails, it stays as it was.

    Args:
        trace: of one picture.
        path: the file to write.

    Raises:
        InputError: `trace` is no trace of one picture, the page would have more than 32 MB, or
            the file cannot be written.
    """
    target = check_path("path", path)
    content = trace_page(trace).encode()
    part = target.parent / f".{uuid4().hex}.part"
    try:
        with part.open("xb") as file:
            file.write(content)
        os.replace(part, target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The file {describe(str(target))} cannot be written: {reason}.") from None
    finally:
        with suppress(OSError, ValueError):  # it is gone, or was never made
            part.unlink()


def check_page_size(trace: BlockTrace) -> None:
    """Raise InputError if a page cannot hold the stages of a trace."""
    _check(sum(stage.nbytes for stage in check_image(trace).stages.values()))


def trace_page(
    trace: BlockTrace,
    *,
    channel: int = 0,
    pin: PanelPixel | None = None,
    scope: Scope = "block",
    link: str = "",
) -> str:
    """Return the page of `to_html`.

    Args:
        trace: of one picture.
        channel, pin: those shown first.
        scope: which stages share a colour limit; see `stage_view`.
        link: address of the explorer's page with the same settings; empty for none.

    Raises:
        InputError: as for `to_html`.
    """
    check_page_size(trace)
    mode = "eval" if trace.use_running_average else "train"
    height, width, features = trace["x"].shape
    return living_page(
        all_messages(trace, pin=pin, scope=scope),
        title=trace.spec.title,
        description=(
            f"Weights: {trace.model.provenance}. Input of {height}×{width} pixels and {features} "
            f"channels, {mode} mode. Digest of out: {trace.digest()}."
        ),
        channel=channel,
        link=link,
    )


def check_network_page_size(trace: NetworkTrace) -> None:
    """Raise InputError if a page cannot hold the figure of a network."""
    _check(network_size(trace))


def network_page(
    trace: NetworkTrace,
    *,
    channel: int = 0,
    pin: PanelPixel | None = None,
    scope: Scope = "block",
    title: str,
    description: str,
    link: str = "",
) -> str:
    """Return a page with the network figure, which needs neither a server nor a network.

    Args:
        trace: of one picture.
        channel, pin: those shown first.
        scope: which maps share a colour limit; see `analysis.network_view`.
        title, description, link: as for `living_page`.

    Raises:
        InputError: the page would have more than 32 MB.
    """
    check_network_page_size(trace)
    last = list(trace.blocks)[-1]
    return living_page(
        network_messages(trace, pin=pin, scope=scope),
        title=title,
        description=f"{description} Digest of out of {last}: {trace[last].digest()}.",
        channel=min(channel, common_channels(trace) - 1),
        link=link,
    )


def _check(size: int) -> None:
    if size > MAX_BYTES:
        raise InputError(
            f"The figure’s arrays take up {size / 2**20:,.0f} MB; a page holds at most "
            f"{MAX_BYTES / 2**20:,.0f} MB. Choose a smaller input or fewer channels."
        )
