"""Curves over depth against loops over plain NNX blocks, and against the published trends."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flax import nnx

from explorer import InputError, trace_block
from explorer.engine.propagation import NEAR, propagate
from explorer.inputs import generate
from explorer.model.variants import V1
from tests.helpers import noise
from tests.sketch import Sketch
from tests.stacks import DEPTH, SEED, SHAPE, STACKS, Step, X, gradients, loop, residual


@pytest.mark.parametrize(("variant", "step"), STACKS)
def test_curves_equal_those_of_a_loop(variant: str, step: Step) -> None:
    record = propagate(SEED, X, 4, depth=DEPTH, variant=variant, seeds=2)
    noise_of_input, cotangent = (
        np.random.default_rng([SEED, purpose]).standard_normal(SHAPE, np.float32)
        for purpose in (2, 3)
    )
    near = X + NEAR * X.std() * noise_of_input
    for run in range(2):
        seeds = [SEED + 1000 * run + block for block in range(DEPTH)]
        path, beside = loop(X, seeds, step), loop(near, seeds, step)
        back, back_beside = (gradients(each, seeds, step, cotangent) for each in (path, beside))
        for block in range(DEPTH):
            out = np.asarray(path[block + 1], np.float64)
            inner = Sketch(4, nnx.Rngs(seeds[block])).run(path[block])
            relu_input = inner["add" if variant == "v1" else "bn2"]
            expected = {
                "std": out.std(),
                "squared mean": (out.mean(axis=(0, 1)) ** 2).mean(),
                "zeros": (np.asarray(relu_input) <= 0).mean(),
            }
            if variant == "v1":
                variances = np.var(inner["bn2"]), np.var(path[block])
                expected["branch share"] = variances[0] / sum(variances)
            one, other = back[block], back_beside[block]
            expected["gradient norm"] = np.linalg.norm(one)
            expected["gradient correlation"] = np.corrcoef(one, other)[0, 1]
            for name, value in expected.items():
                found = record.curves[name][run, block]
                assert found == pytest.approx(float(value), rel=2e-3, abs=2e-4), (name, run, block)
    assert np.isnan(record.curves["branch share"]).all() == (variant == "no_skip")


def test_a_block_of_the_stack_can_be_traced_alone() -> None:
    record = propagate(SEED, X, 4, depth=DEPTH)
    assert record.seeds == tuple(range(SEED, SEED + DEPTH))
    for block in range(DEPTH - 1):
        trace = trace_block(record.seeds[block], record.inputs[block], 4)
        np.testing.assert_allclose(trace["out"], record.inputs[block + 1], atol=1e-5)


def test_a_shorter_stack_is_the_beginning_of_a_longer_one() -> None:
    short = propagate(SEED, X, 4, depth=13)
    long = propagate(SEED, X, 4, depth=33)
    for name in ("std", "squared mean", "branch share", "zeros"):
        np.testing.assert_array_equal(short.curves[name], long.curves[name][:, :13])
    assert long.curves["gradient norm"].shape == (1, 33)
    assert np.isfinite(long.curves["gradient norm"]).all()


def test_progress_is_reported_and_seeds_wrap_around() -> None:
    reported: list[tuple[int, int]] = []
    record = propagate(
        2**32 - 1, X, 4, depth=20, progress=lambda done, total: reported.append((done, total))
    )
    assert reported == [(16, 40), (32, 40), (40, 40)]
    assert record.seeds[:2] == (2**32 - 1, 0)


def test_the_branch_share_without_a_last_relu_is_1_over_l_plus_1() -> None:
    """De & Smith 2020, within the band of the runs or 10 %."""
    x = generate("normal", 16, 16, 8, 0)
    share = propagate(0, x, 8, depth=32, seeds=8, variant=replace(V1, after=())).curves[
        "branch share"
    ]
    law = 1 / (np.arange(1, 33) + 1)
    low, high = share.min(axis=0), share.max(axis=0)
    assert ((low <= law * 1.1) & (law * 0.9 <= high)).all()
    with_relu = propagate(0, x, 8, depth=32, seeds=8).curves["branch share"]
    assert np.median(with_relu[:, -1]) > 2 * law[-1]


def test_an_output_of_nan_has_no_fraction_of_zeros() -> None:
    zeros = propagate(SEED, 1e30 * X, SHAPE[2], depth=2).curves["zeros"]
    assert np.isnan(zeros).all()


def test_gradients_beyond_the_square_root_of_float32s_range_keep_their_norm() -> None:
    x = generate("normal", 16, 16, 8, 0)
    curves = propagate(0, x, 8, depth=128, variant="no_skip").curves
    assert np.isfinite(curves["gradient norm"]).all()
    assert np.isfinite(curves["gradient correlation"]).all()
    assert curves["gradient norm"].max() > 1e19  # whose square float32 cannot hold
    steps = np.diff(np.log(curves["gradient norm"][0]))
    assert np.abs(steps).max() < 2  # no block multiplies it by more than e²


def test_plain_gradients_explode_with_depth_and_residual_ones_do_not() -> None:
    x = generate("normal", 16, 16, 8, 0)
    norms = {
        name: np.median(
            propagate(0, x, 8, depth=48, seeds=4, variant=name).curves["gradient norm"], 0
        )
        for name in ("v1", "no_skip")
    }
    assert norms["no_skip"][0] > 1e5 * norms["no_skip"][-1]
    assert norms["v1"][0] < 1e3 * norms["v1"][-1]


def test_a_batch_of_one_gives_the_curves_of_its_image() -> None:
    one, image = (propagate(SEED, x, 4, depth=DEPTH) for x in (X[None], X))
    for name, curve in image.curves.items():
        np.testing.assert_allclose(one.curves[name], curve, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(one.inputs[:, 0], image.inputs, atol=1e-5)


def test_a_batch_goes_through_a_stack_as_through_its_blocks() -> None:
    batch = np.stack([X, noise(SHAPE, 2)])
    record = propagate(SEED, batch, 4, depth=4)
    for block, h in enumerate(loop(batch, record.seeds[:3], residual)):  # type: ignore[arg-type]
        np.testing.assert_allclose(record.inputs[block], h, atol=1e-4)
        out = trace_block(SEED + block, record.inputs[block], 4)["out"]
        assert record.curves["std"][0, block] == pytest.approx(float(out.std()), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"depth": 0}, "depth must be"),
        ({"depth": 129}, "depth must be"),
        ({"depth": 2.5}, "depth must be"),
        ({"seeds": 33}, "seeds must be"),
        ({"variant": "zero_pad"}, "A stack needs blocks that keep the shape of x"),
        ({"variant": "valid_padding"}, "The addition does not run"),
    ],
)
def test_what_cannot_be_stacked_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        propagate(SEED, X, 4, **{"depth": 4, **change})


def test_too_large_a_stack_is_refused_before_it_runs() -> None:
    with pytest.raises(InputError, match="the limit is 33,554,432"):
        propagate(0, np.zeros((512, 512, 8), np.float32), 8, depth=128)
