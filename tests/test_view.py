from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import BlockTrace, InputError, trace_block
from explorer.analysis import zeroed
from explorer.detail import Window
from explorer.inputs import generate
from explorer.view import colour_limits, stage_maps, stage_view, zeroed_map


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(3, generate("normal", 12, 10, 4, 1), 4)


def with_stages(trace: BlockTrace, **stages: np.ndarray) -> BlockTrace:
    return replace(trace, stages=MappingProxyType({**trace.stages, **stages}))


def test_zeroed_map_is_a_channel_or_what_all_share(trace: BlockTrace) -> None:
    np.testing.assert_array_equal(zeroed_map(trace, 1), zeroed(trace)[:, :, 1])
    np.testing.assert_array_equal(zeroed_map(trace, None), zeroed(trace).all(axis=2))


def test_maps_are_a_channel_or_the_mean(trace: BlockTrace) -> None:
    np.testing.assert_array_equal(stage_maps(trace, 2)["bn1"], trace["bn1"][:, :, 2])
    mean = stage_maps(trace, None)
    np.testing.assert_allclose(mean["add"], mean["bn2"] + mean["x"], atol=1e-6)
    with pytest.raises(InputError, match="channel must be from 0 to 3, got 4"):
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


def test_a_view_of_a_large_trace_has_means_and_marks() -> None:
    trace = trace_block(0, generate("normal", 300, 290, 2, 0), 2)
    view = stage_view(trace, 1)
    panel = view.panels["add"]
    assert panel.values.shape == (100, 97)
    rows, cols, values = panel.marks
    np.testing.assert_array_equal(values, trace["add"][rows, cols, 1])
    assert np.abs(values).max() == np.abs(trace["add"][:, :, 1]).max()
    assert (np.abs(values) > panel.limit).all()
    exact = stage_view(trace, 1, window=Window(10, 60, 20, 90)).panels["add"]
    np.testing.assert_array_equal(exact.values, trace["add"][10:60, 20:90, 1])
    assert exact.beyond == panel.beyond
