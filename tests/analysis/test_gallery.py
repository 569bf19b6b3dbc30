import numpy as np
import pytest

from explorer import trace_block
from explorer.analysis.gallery import MAX_SHEET_SIDE, gallery
from explorer.analysis.summary import channel_table
from explorer.inputs import generate

TRACE = trace_block(1, generate("normal", 12, 9, 7, 0), 7)


def test_orders() -> None:
    table = channel_table(TRACE)
    assert gallery(TRACE, "index").order.tolist() == list(range(7))
    assert (np.diff(table.ratio[gallery(TRACE, "ratio").order]) <= 0).all()
    assert (np.diff(table.zeroed[gallery(TRACE, "zeroed").order]) <= 0).all()


def test_tiles_and_channels_belong_together() -> None:
    tiles = gallery(TRACE, "zeroed")
    assert (tiles.rows, tiles.cols, tiles.step) == (3, 3, 1)
    for channel in range(7):
        row, col = tiles.place(channel)
        assert tiles.channel(row, col) == channel
        assert tiles.texts[row * 3 + col].startswith(f"channel {channel}:")
        tile = tiles.sheets["add"][row * 13 : row * 13 + 12, col * 10 : col * 10 + 9]
        np.testing.assert_array_equal(tile, TRACE["add"][:, :, channel])
    assert tiles.channel(2, 2) is None
    assert tiles.texts[8] == ""
    assert np.isnan(tiles.sheets["add"][26:, 10:]).all()


@pytest.mark.parametrize("shape", [(32, 32, 256), (256, 256, 4), (1, 1, 1), (3, 500, 2)])
def test_what_travels_is_bounded(shape: tuple[int, int, int]) -> None:
    tiles = gallery(trace_block(0, generate("normal", *shape, 0), shape[2]), "index")
    limit = MAX_SHEET_SIDE + 2 * max(tiles.rows, tiles.cols)
    assert max(tiles.sheets["x"].shape) <= limit
