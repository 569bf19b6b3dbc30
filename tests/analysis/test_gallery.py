import numpy as np
import pytest

from explorer import VARIANTS, trace_block
from explorer.analysis.gallery import MAX_SHEET_SIDE, gallery
from explorer.analysis.summary import channel_table
from explorer.inputs import generate
from explorer.model.variants import FIXES
from tests.helpers import SMALL, noise

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
        row, col = tiles.tile_of(channel)
        assert tiles.channel(row, col) == channel
        assert tiles.texts[row * 3 + col].startswith(f"channel {channel}:")
        tile = tiles.sheets["add"][row * 13 : row * 13 + 12, col * 10 : col * 10 + 9]
        np.testing.assert_array_equal(tile, TRACE["add"][:, :, channel])
    assert tiles.channel(2, 2) is None
    assert tiles.texts[8] == ""
    assert np.isnan(tiles.sheets["add"][26:, 10:]).all()


@pytest.mark.parametrize("shape", [(32, 32, 256), (256, 256, 4), (1, 1, 1), (3, 500, 2)])
def test_the_size_of_the_payload_is_bounded(shape: tuple[int, int, int]) -> None:
    tiles = gallery(trace_block(0, generate("normal", *shape, 0), shape[2]), "index")
    limit = MAX_SHEET_SIDE + 2 * max(tiles.rows, tiles.cols)
    assert max(tiles.sheets["x"].shape) <= limit


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_every_stage_of_every_variant_has_its_tiles(name: str) -> None:
    trace = trace_block(1, noise(SMALL), 4, variant=name)
    tiles = gallery(trace, "ratio")
    most = max(stage.shape[2] for stage in trace.stages.values())
    assert sorted(tiles.order) == list(range(most))
    for stage, values in trace.stages.items():
        height, width = tiles.tiles[stage]
        assert (height, width) == values.shape[:2]
        for channel in range(most):
            row, col = tiles.tile_of(channel)
            top, left = row * (height + 1), col * (width + 1)
            tile = tiles.sheets[stage][top : top + height, left : left + width]
            if channel < values.shape[2]:
                np.testing.assert_array_equal(tile, values[:, :, channel])
            else:
                assert np.isnan(tile).all()
