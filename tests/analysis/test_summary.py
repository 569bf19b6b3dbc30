from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, BlockSpec, BlockTrace, trace_block
from explorer.analysis.receptive_field import receptive_fields
from explorer.analysis.summary import channel_table, correlation, headline, variance_error, zeroed
from explorer.inputs import generate
from explorer.model.layers import ReLU
from explorer.model.variants import CROPPED_IDENTITY, V1, projection


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(3, generate("normal", 12, 10, 4, 1), 4)


def with_stages(trace: BlockTrace, **stages: np.ndarray) -> BlockTrace:
    return replace(trace, stages=MappingProxyType({**trace.stages, **stages}))


def test_headline_by_hand(trace: BlockTrace) -> None:
    x = np.array([[[3.0, 0.0], [0.0, -4.0]]], np.float32)
    residual = np.array([[[-6.0, 0.0], [1.0, 2.0]]], np.float32)
    made = with_stages(trace, x=x, bn2=residual, add=x + residual, out=np.maximum(x + residual, 0))
    numbers = headline(made)
    assert numbers.ratio == pytest.approx(np.sqrt(41) / 5)
    # Var(x) = 25/4 − 1/16, Var(F) = 41/4 − 9/16
    assert numbers.identity_share == pytest.approx(6.1875 / (6.1875 + 9.6875))
    assert numbers.zeroed == 0.5  # −3 and −2 of −3, 0, 1, −2
    assert (numbers.add_error, numbers.relu_error) == (0, 0)


def test_the_checks_see_a_wrong_sum_and_a_wrong_cut(trace: BlockTrace) -> None:
    wrong = with_stages(trace, add=trace["add"] + np.float32(0.5))
    assert headline(wrong).add_error == pytest.approx(0.5, abs=1e-6)
    assert headline(wrong).relu_error == pytest.approx(0.5, abs=1e-6)


def test_an_input_of_zeros_has_infinite_ratio_or_none() -> None:
    numbers = headline(trace_block(0, np.zeros((4, 4, 2)), 2))
    assert np.isnan(numbers.ratio)
    assert np.isnan(numbers.identity_share)
    assert numbers.zeroed == 0


def test_channel_table_agrees_with_the_headline(trace: BlockTrace) -> None:
    table, numbers = channel_table(trace), headline(trace)
    ratio = np.linalg.norm(table.norm_f) / np.linalg.norm(table.norm_x)
    assert ratio == pytest.approx(numbers.ratio)
    assert table.zeroed.mean() == pytest.approx(numbers.zeroed)
    assert table.norm_x[2] == pytest.approx(np.linalg.norm(trace["x"][:, :, 2]), rel=1e-6)


def test_zeroed_is_where_out_is_0_and_add_is_not(trace: BlockTrace) -> None:
    mask = zeroed(trace)
    np.testing.assert_array_equal(mask, (trace["out"] == 0) & (trace["add"] != 0))


@pytest.mark.parametrize(
    "spec",
    [V1, projection(3, 2), CROPPED_IDENTITY, VARIANTS["bottleneck"], VARIANTS["full_preact"]],
    ids=lambda spec: spec.title,
)
def test_receptive_fields_are_what_a_change_of_one_pixel_reaches(spec: BlockSpec) -> None:
    x = generate("normal", 15, 15, 4, 0)
    changed = x.copy()
    changed[7, 7] += 1
    one, two = (trace_block(0, a, 4, use_running_average=True, variant=spec) for a in (x, changed))
    grids = spec.grids()
    for stage, field in receptive_fields(spec).items():
        rows, cols, _ = np.nonzero(one[stage] != two[stage])
        reach, grid = field.get("x", 0), grids[stage]
        centres = grid.offset + grid.stride * np.arange(one[stage].shape[0])
        reached = set(np.flatnonzero(np.abs(centres - 7) <= reach))
        assert set(rows) | set(cols) <= reached, stage
        if not isinstance(spec.layers().get(stage), ReLU):  # which may hide a change
            assert set(rows) == set(cols) == reached, stage


def test_receptive_fields_of_every_stage_before() -> None:
    assert receptive_fields(V1)["conv2"] == {"relu1": 1, "bn1": 1, "conv1": 1, "x": 2}
    halved = receptive_fields(projection(4, 2))
    assert halved["conv2"] == {"relu1": 1, "bn1": 1, "conv1": 1, "x": 3}  # 7×7: 2·1 + 1
    assert halved["add"]["bn_proj"] == 0


@pytest.mark.parametrize("name", ["no_skip", "full_preact", "bn_after_add", "projection"])
def test_headline_of_a_variant(name: str) -> None:
    x = generate("normal", 8, 9, 4, 3)
    trace = trace_block(1, x, 4, variant=name)
    numbers, spec = headline(trace), VARIANTS[name]
    one = trace["out"].astype(np.float64).ravel()
    expected = np.corrcoef(one, x.astype(np.float64).ravel())[0, 1]
    assert numbers.correlation == pytest.approx(expected)
    identity = trace["bn_proj"] if name == "projection" else x
    ratio = np.linalg.norm(trace[spec.residual]) / np.linalg.norm(identity)
    assert numbers.ratio == pytest.approx(ratio, rel=1e-5)
    assert np.isnan(numbers.zeroed) == (name == "full_preact")
    assert np.isnan(numbers.add_error) == (name == "no_skip")
    cut = {"no_skip": "bn2", "bn_after_add": "bn2", "projection": "add"}.get(name)
    if cut:
        assert numbers.zeroed == (trace[cut] < 0).mean()


def test_correlation_of_what_cannot_be_compared() -> None:
    a = generate("normal", 4, 4, 2, 0)
    assert correlation(a, a) == pytest.approx(1)
    assert correlation(a, -a) == pytest.approx(-1)
    assert np.isnan(correlation(a, a[:2]))
    assert np.isnan(correlation(a, np.ones_like(a)))


def test_variance_error_tells_large_means() -> None:
    trace = trace_block(0, generate("normal", 32, 32, 3, 0), 3)
    assert variance_error(trace) < 1e-4
    shifted = trace["conv1"] + np.float32(1e4)
    fast = np.maximum(0, (shifted**2).mean(axis=(0, 1)) - shifted.mean(axis=(0, 1)) ** 2)
    norms = {**trace.norms, "bn1": replace(trace.norms["bn1"], batch_var=fast)}
    assert variance_error(replace(with_stages(trace, conv1=shifted), norms=norms)) > 1e-3
