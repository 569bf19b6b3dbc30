import numpy as np
import pytest

from explorer.analysis.downsampling import (
    MAX_MARKS,
    MAX_PANEL_SIDE,
    Window,
    block_means,
    select_marks,
    whole,
)


def test_block_means_by_hand() -> None:
    values = np.arange(300 * 7, dtype=np.float32).reshape(300, 7)
    means = block_means(values, 3)
    assert whole(values.shape).step == 3
    assert means.shape == (100, 3)
    assert means[0, 0] == pytest.approx(values[:3, :3].mean())
    assert means[99, 2] == pytest.approx(values[297:, 6:].mean())


def test_blocks_larger_than_the_map_have_its_mean() -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(block_means(values, 10**9), [[5.5]])
    np.testing.assert_array_equal(block_means(values, 3), [[4], [10]])


def test_small_maps_and_small_windows_are_unchanged() -> None:
    values = np.random.default_rng(0).standard_normal((MAX_PANEL_SIDE, 5))
    assert whole(values.shape).step == 1
    np.testing.assert_array_equal(block_means(values, 1), values)
    np.testing.assert_array_equal(Window(3, 9, 1, 4).crop(values), values[3:9, 1:4])


def test_block_means_keep_channels_apart() -> None:
    values = np.random.default_rng(0).standard_normal((7, 5, 3)).astype(np.float32)
    means = block_means(values, 2)
    assert means.shape == (4, 3, 3)
    for channel in range(3):
        np.testing.assert_allclose(
            means[:, :, channel], block_means(values[:, :, channel], 2), rtol=1e-6
        )


@pytest.mark.parametrize("side", [1, 144, 145, 288, 289, 1024, 2048])
def test_the_size_of_the_payload_is_bounded(side: int) -> None:
    assert -(-side // whole((side, side)).step) <= MAX_PANEL_SIDE


def test_windows_are_clipped_to_the_map() -> None:
    assert Window(-5, 99, 2, 4).within((10, 10)) == Window(0, 10, 2, 4)
    assert Window(20, 30, 0, 4).within((10, 10)) == whole((10, 10))


def test_marks_select_values_that_are_not_finite_and_then_the_largest() -> None:
    values = np.random.default_rng(0).standard_normal((400, 400))
    values[1, 2], values[3, 0] = np.nan, -np.inf
    lost = ~(np.abs(values) <= 2)
    rows, cols = select_marks(values, lost)
    assert rows.size == MAX_MARKS
    assert {(1, 2), (3, 0)} <= set(zip(rows, cols, strict=True))
    sizes = np.nan_to_num(np.abs(values), nan=np.inf).ravel()
    assert np.nan_to_num(np.abs(values[rows, cols]), nan=np.inf).min() == np.sort(sizes)[-MAX_MARKS]
    few = np.zeros((400, 400), bool)
    few[7, 8] = True
    assert [at.tolist() for at in select_marks(values, few)] == [[7], [8]]


@pytest.mark.parametrize("shape", [(32, 32), (400, 250), (5, 90), (90, 5), (1, 60), (60, 1)])
def test_marks_of_a_map_without_finite_values_are_spread_over_it(shape: tuple[int, int]) -> None:
    values = np.full(shape, np.nan)
    rows, cols = select_marks(values, np.isnan(values))
    assert len(set(zip(rows, cols, strict=True))) == rows.size == MAX_MARKS
    for quarter in np.ndindex(2, 2):
        inside = [
            (at >= half * side // 2) & (at < -(-(half + 1) * side // 2))
            for at, half, side in zip((rows, cols), quarter, shape, strict=True)
            if side > 1
        ]
        assert np.count_nonzero(np.all(inside, axis=0)) >= MAX_MARKS // 4 - 4
    again = select_marks(values, np.isnan(values))
    np.testing.assert_array_equal(again, (rows, cols))


def test_a_lone_mark_is_not_lost_beside_a_region() -> None:
    values = np.zeros((200, 200))
    values[:60, :60], values[190, 195] = np.nan, -np.inf
    rows, cols = select_marks(values, ~np.isfinite(values))
    marked = set(zip(rows, cols, strict=True))
    assert (190, 195) in marked
    assert len(marked) == MAX_MARKS
    assert not np.isfinite(values[rows, cols]).any()
    assert {row // 30 for row, _ in marked} >= {0, 1}
    assert {col // 30 for _, col in marked} >= {0, 1}
