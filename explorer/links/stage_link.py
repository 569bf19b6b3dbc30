"""The links between the panels of the stage figure: readout, receptive fields and grids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.analysis.downsampling import whole
from explorer.analysis.receptive_field import receptive_fields
from explorer.figures.panels import panels
from explorer.figures.stage import Part
from explorer.figures.theme import ThemeName
from explorer.linked_figure.payload import Line, PanelPixel, PinLink
from explorer.links.readout import block_readout, gradient_readout
from explorer.records import BlockTrace

MAX_MARKED = 3000
HINT = (
    "Move over a panel to follow one pixel. A click pins it{click}; arrow keys move the pin, "
    "Escape removes it; drag or pinch to zoom, double-click to reset."
)
TOUCH_HINT = "A tap pins a pixel{click}; two fingers zoom, a double tap resets."
LABEL = (
    "The block's stages, linked pixel by pixel. Arrow keys move, Shift and arrow changes the "
    "panel, Enter pins the pixel{click}, Escape removes the pin, Page up and Page down change "
    "the channel."
)


@dataclass(frozen=True)
class PanelBlock:
    """A traced block in the figure, or its gradient; its panels' names begin with `prefix`.

    `elsewhere` holds the panels that are not drawn because one of another block shows the same
    array, with the name of that panel.
    """

    trace: BlockTrace
    prefix: str = ""
    heading: str = ""
    backward: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def shown_by(self) -> dict[str, str]:
        """Return the panel of the figure that shows each of the block's own panels."""
        own = (self.prefix + name for name in panels(self.trace.spec, self.backward))
        return {name: self.elsewhere.get(name, name) for name in own}

    def panels(self) -> dict[str, str]:
        """Return the stage that each of the figure's panels of this block shows."""
        stages = (panel.stage for panel in panels(self.trace.spec, self.backward).values())
        return dict(zip(self.shown_by().values(), stages, strict=True))


def stage_link(
    parts: Sequence[Part],
    drawn: Sequence[PanelBlock],
    blocks: Sequence[PanelBlock],
    *,
    channel: int | None,
    theme: ThemeName,
    pin: PanelPixel | None = None,
    acked_pin: str | None = None,
    window: str | None = None,
    cells: np.ndarray | None = None,
    click: str = "",
) -> PinLink:
    """Return the links of the figure of `parts`, which show the blocks `drawn`.

    Args:
        parts, drawn: the figure's parts, and the block of each.
        blocks: those of which readout and receptive fields are.
        channel: the channel shown; None for the mean over channels.
        theme: that of the figure.
        pin, acked_pin, window: as in `PinLink`.
        cells: `(H, W)` bool, to be marked in every panel.
        click: what a click does besides pinning, such as " and opens its arithmetic".
    """
    rows, cols = drawn[0].trace["x"].shape[:2]
    return PinLink(
        panels=tuple(
            dict.fromkeys(
                name
                for part, block in zip(parts, drawn, strict=True)
                for name, stage in block.panels().items()
                if not part.view.panels[stage].is_blank
            )
        ),
        label=LABEL.format(click=click),
        rows=rows,
        cols=cols,
        title="Mean over channels" if channel is None else f"Channel {channel}",
        hint=HINT.format(click=click),
        touch_hint=TOUCH_HINT.format(click=click),
        readout=tuple(_readout_line(block, theme, channel is None) for block in blocks),
        fields={name: field for block in blocks for name, field in _fields(block).items()},
        grids={name: grid for block in drawn for name, grid in _grids(block).items()},
        cells=_sample(cells),
        pin=pin,
        acked_pin=acked_pin,
        exact=_exact(blocks, pin, channel),
        window=window,
    )


def _fields(block: PanelBlock) -> dict[str, dict[str, tuple[int, int]]]:
    """Receptive fields by panel: the identity's panel was fed by x alone, pixel by pixel.

    A gradient has none: in train mode the batch statistics couple every pixel with all.
    """
    if block.backward:
        return {}
    spec, prefix = block.trace.spec, block.prefix
    fields = dict(receptive_fields(spec))
    if spec.identity == "x":
        fields["identity"] = {"x": (0, 0)}
    shown = block.shown_by()
    return {
        shown[prefix + name]: {shown[prefix + source]: reach for source, reach in field.items()}
        for name, field in fields.items()
        if prefix + name not in block.elsewhere
    }


def _grids(block: PanelBlock) -> dict[str, tuple[int, int]]:
    grids = block.trace.spec.grids()
    return {
        panel: (grids[stage].offset, grids[stage].stride)
        for panel, stage in block.panels().items()
        if stage in grids  # the parts of a gradient lie on x as it is
    }


def _readout_line(block: PanelBlock, theme: ThemeName, is_mean: bool) -> Line:
    spec = block.trace.spec
    if block.backward:
        return gradient_readout(spec, theme, is_mean)
    return block_readout(spec, block.prefix, block.heading, theme, is_mean, block.elsewhere)


def _exact(
    blocks: Sequence[PanelBlock], pin: PanelPixel | None, channel: int | None
) -> dict[str, float] | None:
    """Return the pinned pixel's own values, for panels that show means over blocks."""
    if pin is None or whole(blocks[0].trace["x"].shape[:2]).step == 1:
        return None
    values = {}
    for block in blocks:
        for panel, stage in block.panels().items():
            pixel = block.trace.pixel(stage, pin.row, pin.col)
            if pixel is None:
                continue
            if channel is None:
                values[panel] = float(pixel.mean())
            elif channel < pixel.size:
                values[panel] = float(pixel[channel])
    return values


def _sample(cells: np.ndarray | None) -> tuple[tuple[int, int], ...]:
    """Return at most `MAX_MARKED` of the cells, evenly sampled."""
    if cells is None:
        return ()
    pixels = np.argwhere(cells)
    return tuple((int(r), int(c)) for r, c in pixels[:: max(1, -(-len(pixels) // MAX_MARKED))])
