from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, BlockTrace, trace_block
from explorer.analysis.summary import channel_table, correlation, headline, variance_error, zeroed
from explorer.inputs import generate
from explorer.model.layers import ReLU
from explorer.model.variants import FIXES
from explorer.parts import VALUES
from explorer.records import measure
from tests.helpers import SMALL, noise


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


def test_numbers_of_a_trace_of_several_parts() -> None:
    """One value at the far end counts as much as one at the start."""
    x = generate("normal", 96, 100, 12, 1)
    x[-1, -1, 11] = 300
    trace = trace_block(3, x, 12)
    assert x.size > VALUES
    numbers = headline(trace)
    x, f, out = (trace[stage].astype(np.float64) for stage in ("x", "bn2", "out"))
    assert numbers.ratio == pytest.approx(np.linalg.norm(f) / np.linalg.norm(x), rel=1e-9)
    assert numbers.identity_share == pytest.approx(np.var(x) / (np.var(x) + np.var(f)), rel=1e-9)
    assert numbers.spread == pytest.approx(np.std(out), rel=1e-9)
    assert numbers.correlation == pytest.approx(np.corrcoef(out.ravel(), x.ravel())[0, 1], rel=1e-9)
    assert (numbers.add_error, numbers.relu_error) == (0, 0)
    found = measure(trace["x"])
    assert (found.largest, found.count) == (300, x.size)
    assert found.squares == pytest.approx(np.sum(x**2), rel=1e-9)
    off = np.zeros_like(trace["out"])
    off[-1, -1, 0] = 1
    assert headline(with_stages(trace, add=trace["add"] + off)).add_error > 0.9
    assert headline(with_stages(trace, out=trace["out"] + off)).relu_error > 0.9
    conv1 = trace["conv1"].copy()
    conv1[-1, -1, 0] = 1e4
    assert variance_error(with_stages(trace, conv1=conv1)) > 0.9


def test_the_checks_detect_a_wrong_sum_and_a_wrong_relu(trace: BlockTrace) -> None:
    wrong = with_stages(trace, add=trace["add"] + np.float32(0.5))
    assert headline(wrong).add_error == pytest.approx(0.5, abs=1e-6)
    assert headline(wrong).relu_error == pytest.approx(0.5, abs=1e-6)


def test_an_input_of_zeros_has_infinite_ratio_or_none() -> None:
    numbers = headline(trace_block(0, np.zeros((4, 4, 2)), 2))
    assert np.isnan(numbers.ratio)
    assert np.isnan(numbers.identity_share)
    assert numbers.zeroed == 0


def test_the_ratio_where_only_x_is_all_zero_is_infinite(trace: BlockTrace) -> None:
    assert headline(with_stages(trace, x=np.zeros_like(trace["x"]))).ratio == np.inf
    assert np.isnan(headline(with_stages(trace, x=0 * trace["x"], bn2=0 * trace["bn2"])).ratio)


def test_channel_table_agrees_with_the_headline(trace: BlockTrace) -> None:
    table, numbers = channel_table(trace), headline(trace)
    ratio = np.linalg.norm(table.norm_f) / np.linalg.norm(table.norm_x)
    assert ratio == pytest.approx(numbers.ratio)
    assert table.zeroed.mean() == pytest.approx(numbers.zeroed)
    assert table.norm_x[2] == pytest.approx(np.linalg.norm(trace["x"][:, :, 2]), rel=1e-6)


def test_zeroed_is_where_out_is_0_and_add_is_not(trace: BlockTrace) -> None:
    mask = zeroed(trace)
    np.testing.assert_array_equal(mask, (trace["out"] == 0) & (trace["add"] != 0))


@pytest.mark.parametrize("name", ["no_skip", "full_preact", "bn_after_add", "projection"])
def test_headline_of_a_variant(name: str) -> None:
    x = noise(SMALL)
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
    source = {"no_skip": "bn2", "bn_after_add": "bn2", "projection": "add"}.get(name)
    if source:
        assert numbers.zeroed == (trace[source] < 0).mean()


def test_correlation_of_what_cannot_be_compared() -> None:
    a = generate("normal", 4, 4, 2, 0)
    assert correlation(a, a) == pytest.approx(1)
    assert correlation(a, -a) == pytest.approx(-1)
    assert np.isnan(correlation(a, a[:2]))
    assert np.isnan(correlation(a, np.ones_like(a)))


def test_variance_error_detects_large_means() -> None:
    trace = trace_block(0, generate("normal", 32, 32, 3, 0), 3)
    assert variance_error(trace) < 1e-4
    shifted = trace["conv1"] + np.float32(1e4)
    fast = np.maximum(0, (shifted**2).mean(axis=(0, 1)) - shifted.mean(axis=(0, 1)) ** 2)
    norms = {**trace.norms, "bn1": replace(trace.norms["bn1"], batch_var=fast)}
    assert variance_error(replace(with_stages(trace, conv1=shifted), norms=norms)) > 1e-3


@pytest.mark.parametrize("factor", [1e20, 1e30])
def test_variance_error_is_not_finite_where_squares_overflow(factor: float) -> None:
    overflowed = trace_block(0, factor * noise(SMALL), SMALL[2])
    assert not np.isfinite(variance_error(overflowed))
    assert np.isnan(headline(overflowed).zeroed) == np.isnan(overflowed["add"]).any()


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_the_channel_table_of_every_variant(name: str) -> None:
    trace = trace_block(1, noise(SMALL), 4, variant=name)
    table, spec = channel_table(trace), trace.spec
    residual, identity = trace[spec.residual], trace[spec.identity or "x"]
    assert table.norm_f.shape == (residual.shape[2],)
    for channel in range(residual.shape[2]):
        norm_f = np.linalg.norm(residual[:, :, channel])
        norm_x = np.linalg.norm(identity[:, :, channel])
        assert table.norm_f[channel] == pytest.approx(norm_f, rel=1e-5)
        ratio = norm_f / norm_x if norm_x else np.inf  # an appended channel of zeros
        assert table.ratio[channel] == pytest.approx(ratio, rel=1e-5)
        removed = np.zeros(trace["out"].shape[:2], bool)
        if spec.after and isinstance(spec.after[-1][1], ReLU):
            (source,) = spec.sources()["out"]
            removed = (trace["out"][:, :, channel] == 0) & (trace[source][:, :, channel] != 0)
        assert table.zeroed[channel] == removed.mean()


def test_numbers_of_a_batch_are_over_all_images() -> None:
    images = np.stack([generate("normal", 8, 9, 4, seed) for seed in (3, 4)])
    batch = trace_block(1, images, 4)
    numbers = headline(batch)
    assert numbers.ratio == pytest.approx(
        np.linalg.norm(batch["bn2"]) / np.linalg.norm(batch["x"]), rel=1e-5
    )
    assert numbers.add_error == 0
    assert variance_error(batch) < 1e-5
    assert channel_table(batch).norm_f.shape == (4,)


def test_a_channel_with_nan_has_no_zeroed_fraction(trace: BlockTrace) -> None:
    add = trace["add"].copy()
    add[2, 3, 1] = np.nan
    table = channel_table(with_stages(trace, add=add))
    np.testing.assert_array_equal(np.isnan(table.zeroed), [False, True, False, False])
    assert table.zeroed[0] == channel_table(trace).zeroed[0]
