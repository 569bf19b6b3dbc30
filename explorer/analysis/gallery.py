"""All channels at once: every stage as one array of tiles, in a chosen order."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.analysis.downsampling import block_means
from explorer.analysis.summary import channel_table
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
            `(rows · (h + 1), cols · (w + 1))` float32.
        tile: h, w of a tile in cells.
        step: each cell is the mean of step×step pixels.
        texts: per tile what to say of its channel; empty where there is none.
    """

    order: np.ndarray
    rows: int
    cols: int
    sheets: dict[str, np.ndarray]
    tile: tuple[int, int]
    step: int
    texts: tuple[str, ...]

    def channel(self, row: int, col: int) -> int | None:
        """The channel of a tile; None behind the last one."""
        at = row * self.cols + col
        return int(self.order[at]) if at < self.order.size else None

    def place(self, channel: int) -> tuple[int, int]:
        """The tile of a channel."""
        return divmod(int(np.flatnonzero(self.order == channel)[0]), self.cols)


def gallery(trace: BlockTrace, order: Order) -> Gallery:
    """Every channel of every stage, by index, by ‖F‖/‖x‖ or by zeroed part, largest first."""
    table = channel_table(trace)
    keys = {"index": np.arange(trace.features), "ratio": -table.ratio, "zeroed": -table.zeroed}
    channels = np.argsort(keys[order], kind="stable")
    cols = int(np.ceil(np.sqrt(trace.features)))
    rows = -(-trace.features // cols)
    height, width = trace["x"].shape[:2]
    step = -(-cols * max(height, width) // MAX_SHEET_SIDE)
    sheets = {
        name: _sheet(stage, channels, rows, cols, step) for name, stage in trace.stages.items()
    }
    texts = [
        f"channel {c}: ‖F(x)‖/‖x‖ {table.ratio[c]:.3f}, zeroed {table.zeroed[c]:.1%}"
        for c in channels
    ]
    texts += [""] * (rows * cols - trace.features)
    tile = (-(-height // step), -(-width // step))
    return Gallery(channels, rows, cols, sheets, tile, step, tuple(texts))


def _sheet(stage: np.ndarray, channels: np.ndarray, rows: int, cols: int, step: int) -> np.ndarray:
    small = block_means(stage, step)
    height, width = small.shape[:2]
    tiles = np.full((rows * cols, height + 1, width + 1), np.nan, np.float32)
    tiles[: channels.size, :height, :width] = np.moveaxis(small[:, :, channels], 2, 0)
    grid = tiles.reshape(rows, cols, height + 1, width + 1)
    return grid.transpose(0, 2, 1, 3).reshape(rows * (height + 1), cols * (width + 1))
