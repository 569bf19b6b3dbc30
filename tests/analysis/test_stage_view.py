from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import BlockTrace, InputError, trace_block
from explorer.analysis.colour_limits import channels, colour_limits, stage_maps
from explorer.analysis.downsampling import Window
from explorer.analysis.stage_view import (
    difference_view,
    gradient_view,
    mask_on_x,
    stage_view,
    stage_views,
    stage_window,
    zeroed_map,
)
from explorer.analysis.summary import zeroed
from explorer.engine.gradients import split_trace
from explorer.inputs import generate
from explorer.model.spec import Grid
from explorer.model.variants import CROPPED_IDENTITY, projection, scaled_skip


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(3, generate("normal", 12, 10, 4, 1), 4)


def with_stages(trace: BlockTrace, **stages: np.ndarray) -> BlockTrace:
    return replace(trace, stages=MappingProxyType({**trace.stages, **stages}))


def test_zeroed_map_is_of_a_channel_or_common_to_all(trace: BlockTrace) -> None:
    np.testing.assert_array_equal(zeroed_map(trace, 1), zeroed(trace)[:, :, 1])
    np.testing.assert_array_equal(zeroed_map(trace, None), zeroed(trace).all(axis=2))


def test_maps_are_a_channel_or_the_mean(trace: BlockTrace) -> None:
    np.testing.assert_array_equal(stage_maps(trace, 2)["bn1"], trace["bn1"][:, :, 2])
    mean = stage_maps(trace, None)
    np.testing.assert_allclose(mean["add"], mean["bn2"] + mean["x"], atol=1e-6)
    with pytest.raises(InputError, match="channel must be an integer from 0 to 3, got 4"):
        stage_view(trace, 4)


def test_colour_limits_follow_the_rule(trace: BlockTrace) -> None:
    maps = stage_maps(trace, 0)

    def rule(values: np.ndarray) -> float:
        return float(min(np.abs(values).max(), 3 * np.sqrt((values.astype(float) ** 2).mean())))

    everything = np.concatenate([trace[stage].ravel() for stage in trace.stages])
    block = colour_limits([trace], [maps], "block", 0)
    assert block["x"] == pytest.approx(rule(everything))
    assert len(set(block.values())) == 1
    assert colour_limits([trace], [maps], "stage", 0)["bn1"] == pytest.approx(rule(trace["bn1"]))
    assert colour_limits([trace], [maps], "map", 0)["bn1"] == pytest.approx(rule(maps["bn1"]))
    with pytest.raises(InputError, match="scope must be one of"):
        colour_limits([trace], [maps], "page", 0)  # type: ignore[arg-type]


def test_colour_limits_of_nothing_are_1(trace: BlockTrace) -> None:
    empty = with_stages(trace, x=np.zeros((2, 2, 4), np.float32))
    lost = with_stages(trace, x=np.full((2, 2, 4), np.nan, np.float32))
    for made in (empty, lost):
        assert colour_limits([made], [stage_maps(made, 0)], "map", 0)["x"] == 1


def test_a_view_of_a_small_trace_is_exact(trace: BlockTrace) -> None:
    view = stage_view(trace, 2)
    for stage, panel in view.panels.items():
        values = trace[stage][:, :, 2]
        np.testing.assert_array_equal(panel.values, values)
        assert panel.beyond == (np.abs(values) > panel.limit).sum()
        assert panel.marks[0].size == 0
    assert view.zeroed_part == zeroed_map(trace, 2).mean()


def test_nan_is_counted_apart_and_the_zeroed_fraction_is_not_made_up(trace: BlockTrace) -> None:
    add = trace["add"].copy()
    add[:2, :3, 2] = np.nan
    add[5, 5, 2] = np.inf
    made = with_stages(trace, add=add)
    view = stage_view(made, 2)
    panel = view.panels["add"]
    assert panel.missing == 6
    assert panel.beyond == (np.abs(add[:, :, 2]) > panel.limit).sum()
    assert np.isnan(view.zeroed_part)  # type: ignore[arg-type]
    assert stage_view(made, 1).zeroed_part == zeroed_map(trace, 1).mean()
    assert np.isnan(stage_view(made, None).zeroed_part)  # type: ignore[arg-type]


def test_a_view_of_a_large_trace_has_means_and_marks() -> None:
    trace = trace_block(0, generate("normal", 300, 290, 2, 0), 2)
    view = stage_view(trace, 1)
    panel = view.panels["add"]
    assert panel.values.shape == (100, 97)
    rows, cols, values = panel.marks
    np.testing.assert_array_equal(values, trace["add"][rows.astype(int), cols.astype(int), 1])
    assert np.abs(values).max() == np.abs(trace["add"][:, :, 1]).max()
    assert (np.abs(values) > panel.limit).all()
    exact = stage_view(trace, 1, window=Window(10, 60, 20, 90)).panels["add"]
    np.testing.assert_array_equal(exact.values, trace["add"][10:60, 20:90, 1])
    assert exact.beyond == panel.beyond


def test_views_side_by_side_share_their_limits(trace: BlockTrace) -> None:
    other = trace_block(3, trace["x"], 4, variant=scaled_skip(3.0))
    for scope in ("block", "stage"):
        one, two = stage_views([trace, other], 1, scope)
        assert one.panels["add"].limit == two.panels["add"].limit
    assert two.panels["add"].limit > stage_view(trace, 1, "stage").panels["add"].limit
    one, two = stage_views([trace, other], 1, "map")
    assert one.panels["add"].limit < two.panels["add"].limit


def test_a_difference_is_stage_by_stage_on_its_own_scale(trace: BlockTrace) -> None:
    other = trace_block(3, trace["x"], 4, variant="relu_before_add")
    view = difference_view(trace, other, 2)
    expected = other["add"][:, :, 2] - trace["add"][:, :, 2]
    np.testing.assert_array_equal(view.panels["add"].values, expected)
    assert view.panels["add"].limit == pytest.approx(
        min(np.abs(expected).max(), 3 * np.sqrt((expected.astype(float) ** 2).mean()))
    )
    assert view.panels["bn2"].note == "equal"
    assert view.panels["relu2"].note == "not in the reference"
    assert np.isnan(view.panels["relu2"].values).all()
    assert view.zeroed_part is None
    halved = trace_block(3, trace["x"], 4, variant=projection(4, 2))
    assert difference_view(trace, halved, 0).panels["conv1"].note == "shapes differ"


def test_views_have_channels_that_only_one_of_the_blocks_has(trace: BlockTrace) -> None:
    wide = trace_block(0, trace["x"], 4, variant=projection(8))
    narrow_view, wide_view = stage_views([trace, wide], 6)
    assert narrow_view.panels["out"].is_blank
    np.testing.assert_array_equal(wide_view.panels["out"].values, wide["out"][:, :, 6])


def test_a_stage_without_the_channel_has_a_note(trace: BlockTrace) -> None:
    wide = trace_block(3, trace["x"], 4, variant="zero_pad")
    assert channels(trace, wide) == 8
    view = stage_view(wide, 6)
    assert view.panels["x"].note == "no channel 6"
    np.testing.assert_array_equal(view.panels["out"].values, wide["out"][:, :, 6])
    with pytest.raises(InputError, match="channel must be an integer from 0 to 7, got 8"):
        stage_view(wide, 8)


def test_pixels_of_a_strided_stage_lie_on_two_of_x(trace: BlockTrace) -> None:
    halved = trace_block(3, trace["x"], 4, variant=projection(4, 2))
    panel = stage_view(halved, 0).panels["out"]
    assert (panel.top, panel.left, panel.pitch, panel.step) == (0.5, 0.5, 2, 1)
    part = stage_view(halved, 0, window=Window(5, 9, 2, 6)).panels["out"]
    np.testing.assert_array_equal(part.values, halved["out"][2:5, 1:3, 0])
    assert (part.top, part.left) == (4.5, 2.5)


def test_pixels_of_a_cropped_stage_lie_inside_x(trace: BlockTrace) -> None:
    cropped = trace_block(3, trace["x"], 4, variant=CROPPED_IDENTITY)
    panel = stage_view(cropped, 0).panels["out"]
    assert (panel.top, panel.left, panel.pitch) == (2, 2, 1)
    assert cropped.pixel("out", 1, 5) is None
    np.testing.assert_array_equal(cropped.pixel("out", 3, 5), cropped["out"][1, 3])


def test_an_invalid_channel_is_refused_by_every_view(trace: BlockTrace) -> None:
    split = split_trace(trace, np.ones((12, 10, 4)))
    for channel in (-1, 4):
        words = f"channel must be an integer from 0 to 3, got {channel}"
        with pytest.raises(InputError, match=words):
            stage_view(trace, channel)
        with pytest.raises(InputError, match=words):
            difference_view(trace, trace, channel)
        with pytest.raises(InputError, match=words):
            gradient_view(split, channel)


def test_a_view_is_of_one_image() -> None:
    images = np.stack([generate("normal", 6, 5, 4, seed) for seed in (1, 2)])
    batch = trace_block(3, images, 4)
    with pytest.raises(InputError, match=r"use trace\.image\(n\)"):
        stage_view(batch)
    view = stage_view(batch.image(1), channel=2)
    np.testing.assert_array_equal(view.panels["bn2"].values, batch["bn2"][1, :, :, 2])


def test_a_window_and_a_mask_move_between_x_and_a_strided_stage() -> None:
    grid = Grid(offset=2, stride=2)  # pixels 0, 1, 2 of the stage begin at 2, 4, 6 of x
    assert stage_window(Window(3, 6, 0, 9), grid, (3, 3)) == Window(0, 2, 0, 3)
    mask = np.zeros((3, 3), bool)
    mask[1, 2] = True
    on_x = mask_on_x(mask, grid, (9, 8))
    assert {(int(r), int(c)) for r, c in np.argwhere(on_x)} == {(4, 6), (4, 7), (5, 6), (5, 7)}
