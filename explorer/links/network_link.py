"""The links between the panels of the network figure: readout and grids."""

import numpy as np

from explorer.analysis.downsampling import whole
from explorer.analysis.network_view import stem_grids
from explorer.analysis.one_picture import first_block
from explorer.figures.network import STEM, residual_panel, stream_panel
from explorer.figures.printed import ROUNDED
from explorer.figures.theme import THEMES, ThemeName
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
from explorer.records import NetworkTrace

HINT = (
    "Move over a thumbnail to follow one pixel through the network. A click pins it{click}; arrow "
    "keys move the pin, Escape removes it; drag or pinch to zoom, double-click to reset."
)
LABEL = (
    "The residual stream and F(x) of every block, linked pixel by pixel. Arrow keys move, Shift "
    "and arrow changes the thumbnail, Enter pins the pixel{click}, Escape removes the pin."
)


def panel_blocks(trace: NetworkTrace) -> dict[str, str | None]:
    """Return the block of every panel by the panel's name; None for the stem's."""
    found: dict[str, str | None] = {STEM: None}
    for name in trace.blocks:
        found |= {residual_panel(name): name, stream_panel(name): name}
    return found


def network_link(
    trace: NetworkTrace,
    *,
    channel: int | None,
    theme: ThemeName,
    pin: PanelPixel | None = None,
    acked_pin: str | None = None,
    is_difference: bool = False,
    click: str = "",
) -> PinLink:
    """Return the links of the network figure; the readout is of the block pointed at.

    Args:
        trace: of one picture.
        channel: the channel shown; None for the mean over channels.
        theme: that of the figure.
        pin, acked_pin: as in `PinLink`.
        is_difference: whether the trace is a difference of two.
        click: what a click does besides pinning, such as " and selects the block".
    """
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
        label=("Difference. " if is_difference else "") + LABEL.format(click=click),
        rows=rows,
        cols=cols,
        title=f"Difference, {title[0].lower()}{title[1:]}" if is_difference else title,
        hint=HINT.format(click=click),
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
