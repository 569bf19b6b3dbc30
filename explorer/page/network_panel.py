"""The network figure on the page: its links, and the block and pixel that the user has clicked.

The figure of a difference has the same links.
"""

from dataclasses import dataclass

import numpy as np

from explorer.analysis.colour_limits import Scope
from explorer.analysis.downsampling import whole
from explorer.analysis.network_difference import NetworkDifference
from explorer.analysis.network_view import stem_grids
from explorer.analysis.one_picture import first_block
from explorer.figures.network import (
    STEM,
    network_difference_layouts,
    network_layouts,
    residual_panel,
    stream_panel,
)
from explorer.figures.printed import ROUNDED
from explorer.figures.theme import THEMES, ThemeName
from explorer.figures.two_layouts import TwoLayouts
from explorer.linked_figure.payload import (
    Line,
    PanelPixel,
    PinLink,
    RoundedTerm,
    Term,
    TextTerm,
    ValueTerm,
)
from explorer.model.spec import BlockSpec, Grid
from explorer.page.component import component_state, current_theme, linked_figure
from explorer.page.display import read_pin
from explorer.records import NetworkTrace

HINT = (
    "Move over a thumbnail to follow one pixel through the network. A click pins it and selects "
    "the block; arrow keys move the pin, Escape removes it; drag or pinch to zoom, double-click "
    "to reset."
)
LABEL = (
    "The residual stream and F(x) of every block, linked pixel by pixel. Arrow keys move, Shift "
    "and arrow changes the thumbnail, Enter pins the pixel and selects the block, Escape removes "
    "the pin."
)


@dataclass(frozen=True)
class NetworkPin:
    """The thumbnail and pixel that the user has clicked; `block` is None on the stem's."""

    block: str | None
    pixel: PanelPixel


@dataclass(frozen=True)
class ShownNetwork:
    """What the network figure shows, and the block that the user has clicked, if any."""

    channel: int | None
    scope: Scope
    clicked: str | None


def panel_blocks(trace: NetworkTrace) -> dict[str, str | None]:
    """Return the block of every panel by the panel's name; None for the stem's."""
    found: dict[str, str | None] = {STEM: None}
    for name in trace.blocks:
        found |= {residual_panel(name): name, stream_panel(name): name}
    return found


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
    )
    linked_figure(layouts.spec(), narrow=layouts.narrow, key=key, theme=theme, link=link)
    return NetworkPin(blocks[pin.panel], pin) if pin else None


def network_link(
    trace: NetworkTrace,
    *,
    channel: int | None,
    theme: ThemeName,
    pin: PanelPixel | None = None,
    acked_pin: str | None = None,
    is_difference: bool = False,
) -> PinLink:
    """Return the links of the network figure; the readout is of the block pointed at."""
    first_block(trace)
    rows, cols = trace.stream["stem"].shape[:2]
    readouts: dict[str, tuple[Line, ...]] = {}
    of = "mean " if channel is None else ""
    before, words = STEM, "stem"
    readouts[STEM] = ((ValueTerm(STEM, f"{of}stem", THEMES[theme].identity),),)
    for name, block in trace.blocks.items():
        line = _readout(block.spec, name, (before, f"{of}{words}"), theme, of, is_difference)
        readouts |= {residual_panel(name): (line,), stream_panel(name): (line,)}
        before, words = stream_panel(name), f"out of {name}"
    title = "Mean over channels" if channel is None else f"Channel {channel}"
    return PinLink(
        panels=tuple(panel_blocks(trace)),
        label=f"Difference. {LABEL}" if is_difference else LABEL,
        rows=rows,
        cols=cols,
        title=f"Difference, {title[0].lower()}{title[1:]}" if is_difference else title,
        hint=HINT,
        readouts=readouts,
        grids={
            panel: (grid.offset, grid.stride)
            for panel, (_, grid) in panel_arrays(trace).items()
            if grid != Grid()
        },
        pin=pin,
        acked_pin=acked_pin,
        exact=_exact(trace, channel, pin),
    )


def _readout(
    spec: BlockSpec,
    name: str,
    x: tuple[str, str],
    theme: ThemeName,
    of: str,
    is_difference: bool,
) -> Line:
    """Return one pixel of a block in numbers: x, which is the stream before it, F(x) and out."""
    colours = THEMES[theme]
    residual, stream = residual_panel(name), stream_panel(name)
    input_ = ValueTerm(x[0], x[1], colours.text if spec.shortcut is None else colours.identity)
    branch = ValueTerm(residual, f"{of}F(x)", colours.branch)
    out = ValueTerm(stream, f"{of}out")
    if is_difference:  # the layers may not be linear, or not the same in both networks
        return (TextTerm(f"{name}:"), input_, TextTerm("·"), branch, TextTerm("·"), out)
    after = " → ".join(layer.label for _, layer in spec.after)
    terms: list[Term] = [TextTerm(f"{name}:"), input_]
    terms.append(TextTerm("+" if spec.identity == "x" else "·"))
    terms.append(branch)
    if after and of:
        terms.append(TextTerm(f"· {after} before the mean:"))
    elif after:
        terms.append(TextTerm(f"→ {after} →"))
    else:
        terms.append(TextTerm("=" if spec.identity == "x" else "·"))
    terms.append(out)
    if not after and spec.identity == "x":
        terms.append(RoundedTerm((x[0], residual), stream, ROUNDED))
    return tuple(terms)


def _exact(
    trace: NetworkTrace, channel: int | None, pin: PanelPixel | None
) -> dict[str, float] | None:
    """Return the pinned pixel's own values, for thumbnails that show means over blocks."""
    if pin is None or whole(trace.stream["stem"].shape[:2]).step == 1:
        return None
    found = {}
    for name, (array, grid) in panel_arrays(trace).items():
        pixel = array[grid.to_stage(pin.row), grid.to_stage(pin.col)]
        found[name] = float(pixel.mean() if channel is None else pixel[channel])
    return found


def panel_arrays(trace: NetworkTrace) -> dict[str, tuple[np.ndarray, Grid]]:
    """Return the array `(h, w, C)` of every panel, and its position on the stem's pixels."""
    found = {STEM: (trace.stream[STEM], Grid())}
    for (name, block), grids in zip(trace.blocks.items(), stem_grids(trace), strict=True):
        for panel, stage in (
            (residual_panel(name), block.spec.residual),
            (stream_panel(name), "out"),
        ):
            found[panel] = block[stage], grids[stage]
    return found
