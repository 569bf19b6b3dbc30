"""Views of a network's trace, or of a difference, for its figure: F(x) and the residual stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import get_args

import numpy as np

from explorer.analysis.colour_limits import Scope, limit_of
from explorer.analysis.downsampling import Window, block_means, whole
from explorer.analysis.network_difference import NetworkDifference
from explorer.analysis.one_picture import first_block
from explorer.analysis.stage_view import PanelView, panel_view, stage_window, zeroed_map
from explorer.analysis.summary import branch_ratio, zeroed_part
from explorer.errors import check_choice, check_integer, check_type
from explorer.model.record import Record
from explorer.model.spec import BlockSpec, Grid
from explorer.records import BlockTrace, Magnitude, NetworkTrace, measure


@dataclass(frozen=True)
class BlockView(Record):
    """One block of a network in the figure.

    Attributes:
        name: its name in the network.
        spec: its layers.
        shape: `(H, W, C)` of its `out`.
        residual: the map of F(x).
        stream: the map of the residual stream after the block, its `out`.
        zeroed: fraction of each drawn cell that the last ReLU zeroed, `(h, w)`, 0 … 1; None if
            the last layer is not a ReLU.
        ratio: ‖F(x)‖ / ‖x‖, Euclidean, over all channels; x is what F(x) is added to, or the
            input without a sum. Infinite where only x is all zero, NaN where F(x) is too. In a
            difference, ‖difference‖ / ‖reference‖ of F(x).
        zeroed_part: fraction of the cells of all channels that the last ReLU zeroed, 0 … 1; NaN
            without one, or where its input has NaN.
        dead: number of channels of `out` that are 0 at every pixel.
        stream_ratio: in a difference, ‖difference‖ / ‖reference‖ of the stream; else None.
    """

    name: str
    spec: BlockSpec
    shape: tuple[int, ...]
    residual: PanelView
    stream: PanelView
    zeroed: np.ndarray | None
    ratio: float
    zeroed_part: float
    dead: int
    stream_ratio: float | None = None

    @property
    def stage(self) -> str:
        """The name of its stage in a checkpoint, such as layer1; empty without stages."""
        return self.name.rpartition(".")[0].removesuffix(".layers")  # as transformers has it


@dataclass(frozen=True)
class NetworkView(Record):
    """The data of a network's figure.

    Attributes:
        stem: the map of the residual stream after the stem.
        blocks: in order.
        channel: 0 … C−1, or None for the mean over channels.
        scope: which maps share a colour limit.
        shape: `(H, W, C)` of the residual stream after the stem, on whose pixels all maps lie.
    """

    stem: PanelView
    blocks: tuple[BlockView, ...]
    channel: int | None
    scope: Scope
    shape: tuple[int, int, int]

    @property
    def is_residual(self) -> bool:
        """Whether the blocks have shortcuts."""
        return self.blocks[0].spec.shortcut is not None

    @property
    def is_difference(self) -> bool:
        """Whether the maps are those of a difference."""
        return self.blocks[0].stream_ratio is not None

    @property
    def is_staged(self) -> bool:
        """Whether blocks change the shape of the stream."""
        return any(block.shape != self.shape for block in self.blocks)

    @property
    def stages(self) -> list[tuple[BlockView, ...]]:
        """The blocks of every stage, which have the same shape."""
        groups = groupby(self.blocks, lambda block: (block.stage, block.shape))
        return [tuple(blocks) for _, blocks in groups]

    @property
    def panels(self) -> list[PanelView]:
        """All maps: the stem's, then F(x) and the stream of each block."""
        pairs = ((block.residual, block.stream) for block in self.blocks)
        return [self.stem, *chain.from_iterable(pairs)]


def network_view(
    trace: NetworkTrace, channel: int | None = None, scope: Scope = "block"
) -> NetworkView:
    """Return the view of one channel, or of the mean over channels for None.

    Args:
        trace: the trace of one picture.
        channel: 0 … C−1, or None; C is the smallest number of channels after a block.
        scope: what shares a colour limit min(max |v|, 3·RMS): "block" is the whole network,
            "stage" F(x) of all blocks and the whole stream, "map" each map alone. The limit is
            over all channels, except for the mean and for "map".

    Raises:
        InputError: there is no such channel or scope, the trace is of a batch, or it has no
            blocks.
    """
    channel = _check_channel(trace, channel)
    stem, *panels = _panels(trace, channel, scope)
    shape = trace.stream["stem"].shape
    window = whole(shape[:2])
    blocks = tuple(
        _block_view(
            name,
            block,
            residual,
            stream,
            channel,
            stage_window(window, grids["out"], block["out"].shape),
        )
        for (name, block), residual, stream, grids in zip(
            trace.blocks.items(), panels[::2], panels[1::2], stem_grids(trace), strict=True
        )
    )
    return NetworkView(stem, blocks, channel, scope, shape)


def network_difference_view(
    difference: NetworkDifference, channel: int | None = None, scope: Scope = "block"
) -> NetworkView:
    """Return the view of a difference; arguments and errors as for `network_view`.

    Nothing in it is zeroed or dead.
    """
    trace = check_type("difference", difference, NetworkDifference).trace
    channel = _check_channel(trace, channel)
    stem, *panels = _panels(trace, channel, scope)
    blocks = []
    for (name, block), residual, stream in zip(
        trace.blocks.items(), panels[::2], panels[1::2], strict=True
    ):
        part = difference[name]
        assert part.residual is not None
        blocks.append(
            BlockView(
                name=name,
                spec=block.spec,
                shape=block["out"].shape,
                residual=residual,
                stream=stream,
                zeroed=None,
                ratio=part.residual.share,
                zeroed_part=np.nan,
                dead=0,
                stream_ratio=part.out.share,
            )
        )
    return NetworkView(stem, tuple(blocks), channel, scope, trace.stream["stem"].shape)


def _check_channel(trace: NetworkTrace, channel: int | None) -> int | None:
    first_block(trace)
    if channel is None:
        return None
    most = min(stream.shape[-1] for stream in trace.stream.values())
    return check_integer("channel", channel, 0, most - 1)


def _panels(trace: NetworkTrace, channel: int | None, scope: Scope) -> list[PanelView]:
    """Return the map of the stem, and of F(x) and the stream of each block."""
    check_choice("scope", scope, get_args(Scope))
    arrays, grids = [trace.stream["stem"]], [Grid()]
    for block, on_stem in zip(trace.blocks.values(), stem_grids(trace), strict=True):
        for stage in (block.spec.residual, "out"):
            arrays.append(block[stage])
            grids.append(on_stem[stage])
    maps = [_map(array, channel) for array in arrays]
    limits = _limits(maps if channel is None or scope == "map" else arrays, scope)
    window = whole(arrays[0].shape[:2])
    return [
        panel_view(shown, array.shape, limit, window, grid)
        for shown, array, limit, grid in zip(maps, arrays, limits, grids, strict=True)
    ]


def stem_grids(trace: NetworkTrace) -> list[dict[str, Grid]]:
    """Return, for every block, the positions of its stages on the pixels of the stem's output."""
    found, x = [], Grid()
    for block in trace.blocks.values():
        found.append(
            {
                stage: Grid(x.to_x(grid.offset), x.stride * grid.stride)
                for stage, grid in block.spec.grids().items()
            }
        )
        x = found[-1]["out"]
    return found


def _map(array: np.ndarray, channel: int | None) -> np.ndarray:
    if channel is not None:
        return np.ascontiguousarray(array[:, :, channel])
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite values
        return np.asarray(array.mean(axis=2))


def _limits(arrays: Sequence[np.ndarray], scope: Scope) -> list[float]:
    """Return the limit of the stem's array, and of F(x) and the stream of each block."""
    found, count = [measure(array) for array in arrays], len(arrays)
    groups = {"block": [0] * count, "stage": [n % 2 for n in range(count)], "map": range(count)}
    shared: dict[int, list[Magnitude]] = {}
    for group, magnitude in zip(groups[scope], found, strict=True):
        shared.setdefault(group, []).append(magnitude)
    limits = {group: limit_of(*magnitudes) for group, magnitudes in shared.items()}
    return [limits[group] for group in groups[scope]]


def _block_view(
    name: str,
    block: BlockTrace,
    residual: PanelView,
    stream: PanelView,
    channel: int | None,
    window: Window,
) -> BlockView:
    spec, out = block.spec, block["out"]
    mask = None
    if spec.last_relu_input:
        mask = window.crop(zeroed_map(block, channel)).astype(np.float32)
        mask = block_means(mask, stream.step)
    dead = int(np.count_nonzero((out == 0).all(axis=(0, 1))))
    return BlockView(
        name=name,
        spec=spec,
        shape=out.shape,
        residual=residual,
        stream=stream,
        zeroed=mask,
        ratio=branch_ratio(block),
        zeroed_part=zeroed_part(block),
        dead=dead,
    )
