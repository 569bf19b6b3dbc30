"""All channels at once: every stage as one sheet of tiles, in a chosen order."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from explorer.analysis.colour_limits import channels
from explorer.analysis.downsampling import block_means
from explorer.analysis.summary import channel_table
from explorer.errors import check_choice, check_integer
from explorer.records import BlockTrace

Order = Literal["index", "ratio", "zeroed"]
MAX_SHEET_SIDE = 128  # cells of one stage's sheet of tiles


@dataclass(frozen=True)
class Gallery:
    """Tiles of all channels, the same grid for every stage.

    Attributes:
        order: channels in reading order; tile (r, c) is `order[r · cols + c]`.
        rows, cols: tiles in the grid; the last row may be short.
        sheets: per stage the tiles with one empty (NaN) line after each,
            `(rows · (h + 1), cols · (w + 1))` float32; a stage without a channel has
            an empty tile for it.
        tiles: h, w of a stage's tile in cells.
        step: each cell is the mean of step×step pixels.
        texts: a text for each tile; empty where there is no channel.
    """

    order: np.ndarray
    rows: int
    cols: int
    sheets: dict[str, np.ndarray]
    tiles: dict[str, tuple[int, int]]
    step: int
    texts: tuple[str, ...]

    def channel(self, row: int, col: int) -> int | None:
        """Return the channel of a tile; None for a tile after the last channel."""
        row = check_integer("row", row, 0, self.rows - 1)
        col = check_integer("col", col, 0, self.cols - 1)
        at = row * self.cols + col
        return int(self.order[at]) if at < self.order.size else None

    def tile_of(self, channel: int) -> tuple[int, int]:
        """Return row and column of a channel's tile."""
        channel = check_integer("channel", channel, 0, self.order.size - 1)
        return divmod(int(np.flatnonzero(self.order == channel)[0]), self.cols)


def gallery(trace: BlockTrace, order: Order) -> Gallery:
    """Return every channel of every stage, in order.

    The order is by index, by ‖F(x)‖ / ‖identity‖ or by zeroed fraction, largest first. Channels
    that exist only in wider stages follow, by index.
    """
    check_choice("order", order, get_args(Order))
    count, table = channels(trace), channel_table(trace)
    known = table.ratio.size
    keys = {"index": np.arange(known), "ratio": -table.ratio, "zeroed": -table.zeroed}
    ordered = np.concatenate([np.argsort(keys[order], kind="stable"), np.arange(known, count)])
    cols = int(np.ceil(np.sqrt(count)))
    rows = -(-count // cols)
    step = -(-cols * max(trace["x"].shape[:2]) // MAX_SHEET_SIDE)
    sheets, tiles = {}, {}
    for name, stage in trace.stages.items():
        small = block_means(stage, step)
        tiles[name] = small.shape[:2]
        sheets[name] = _sheet(small, ordered, rows, cols)
    texts = [_text(table.ratio, table.zeroed, int(channel)) for channel in ordered]
    texts += [""] * (rows * cols - count)
    return Gallery(ordered, rows, cols, sheets, tiles, step, tuple(texts))


def _text(ratio: np.ndarray, zeroed: np.ndarray, channel: int) -> str:
    if channel >= ratio.size:
        return f"channel {channel}"
    part = "–" if np.isnan(zeroed[channel]) else f"{zeroed[channel]:.1%}"
    size = f"{ratio[channel]:.3f}" if np.isfinite(ratio[channel]) else "–"
    return f"channel {channel}: ‖F(x)‖/‖x‖ {size}, zeroed {part}"


def _sheet(stage: np.ndarray, order: np.ndarray, rows: int, cols: int) -> np.ndarray:
    height, width, channels_here = stage.shape
    tiles = np.full((rows * cols, height + 1, width + 1), np.nan, np.float32)
    present = np.flatnonzero(order < channels_here)
    tiles[present, :height, :width] = np.moveaxis(stage[:, :, order[present]], 2, 0)
    grid = tiles.reshape(rows, cols, height + 1, width + 1)
    return grid.transpose(0, 2, 1, 3).reshape(rows * (height + 1), cols * (width + 1))
