"""Stacks against loops over plain NNX blocks, and against the published trends."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import comb
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError, trace_block
from explorer.engine.ablation import ablation
from explorer.engine.paths import path_gradients, path_lengths
from explorer.engine.propagation import NEAR, propagate
from explorer.engine.stack import CHUNK, check_stack
from explorer.inputs import generate
from explorer.model.spec_block import SpecBlock
from explorer.model.variants import V1
from tests.helpers import noise
from tests.sketch import Sketch

SHAPE, SEED, DEPTH = (7, 6, 4), 5, 6
X = noise(SHAPE, 1)


def residual(stages: dict[str, jax.Array]) -> jax.Array:
    return stages["out"]


def plain(stages: dict[str, jax.Array]) -> jax.Array:
    return jax.nn.relu(stages["bn2"])


Step = Callable[[dict[str, jax.Array]], jax.Array]


def loop(x: Any, seeds: list[int], step: Step) -> list[jax.Array]:
    """Every block's input and the end, with plain NNX blocks of these seeds."""
    found = [jnp.asarray(x)]
    for seed in seeds:
        found.append(step(Sketch(SHAPE[2], nnx.Rngs(seed)).run(found[-1])))
    return found


def gradient(h: jax.Array, seeds: list[int], step: Step, cotangent: np.ndarray) -> np.ndarray:
    """The gradient at h of ⟨cotangent, end of the stack⟩, flat."""
    return np.asarray(jax.grad(lambda x: jnp.vdot(cotangent, loop(x, seeds, step)[-1]))(h)).ravel()


@pytest.mark.parametrize(("variant", "step"), [("v1", residual), ("no_skip", plain)])
def test_curves_are_those_of_a_loop(variant: str, step: Step) -> None:
    record = propagate(SEED, X, 4, depth=DEPTH, variant=variant, seeds=2)
    random = np.random.default_rng(SEED)
    near = X + NEAR * X.std() * random.standard_normal(SHAPE, np.float32)
    cotangent = random.standard_normal(SHAPE, np.float32)
    for run in range(2):
        seeds = [SEED + 1000 * run + block for block in range(DEPTH)]
        path, beside = loop(X, seeds, step), loop(near, seeds, step)
        for block in range(DEPTH):
            out = np.asarray(path[block + 1], np.float64)
            inner = Sketch(4, nnx.Rngs(seeds[block])).run(path[block])
            cut = inner["add" if variant == "v1" else "bn2"]
            expected = {
                "std": out.std(),
                "squared mean": (out.mean(axis=(0, 1)) ** 2).mean(),
                "zeroed": (np.asarray(cut) < 0).mean(),
            }
            if variant == "v1":
                variances = np.var(inner["bn2"]), np.var(path[block])
                expected["branch share"] = variances[0] / sum(variances)
            one, other = (
                gradient(start[block], seeds[block:], step, cotangent) for start in (path, beside)
            )
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


def test_depth_is_only_a_cut_of_the_same_stack() -> None:
    short = propagate(SEED, X, 4, depth=CHUNK - 3)
    long = propagate(SEED, X, 4, depth=2 * CHUNK + 1)
    for name in ("std", "squared mean", "branch share", "zeroed"):
        np.testing.assert_array_equal(short.curves[name], long.curves[name][:, : CHUNK - 3])
    assert long.curves["gradient norm"].shape == (1, 2 * CHUNK + 1)
    assert np.isfinite(long.curves["gradient norm"]).all()


def test_progress_is_told_and_seeds_wrap_around_openly() -> None:
    told: list[tuple[int, int]] = []
    record = propagate(
        2**32 - 1, X, 4, depth=20, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(16, 40), (20, 40), (24, 40), (40, 40)]
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
    kept = propagate(0, x, 8, depth=32, seeds=8).curves["branch share"]
    assert np.median(kept[:, -1]) > 2 * law[-1]


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


@pytest.mark.parametrize(("variant", "step"), [("v1", residual), ("no_skip", plain)])
@pytest.mark.parametrize("kind", ["delete", "swap"])
def test_ablations_are_those_of_a_loop(variant: str, step: Step, kind: str) -> None:
    found = ablation(SEED, X, 4, depth=5, kind=kind, variant=variant)  # type: ignore[arg-type]
    seeds = [SEED + block for block in range(5)]
    intact = np.asarray(loop(X, seeds, step)[-1])
    expected = []
    for block in range(5 if kind == "delete" else 4):
        order = list(seeds)
        if kind == "delete":
            del order[block]
        else:
            order[block : block + 2] = order[block + 1], order[block]
        end = np.asarray(loop(X, order, step)[-1])
        expected.append(np.linalg.norm(end - intact) / np.linalg.norm(intact))
    np.testing.assert_allclose(found.change, expected, rtol=1e-3)


@pytest.mark.parametrize("variant", ["v1", "full_preact", "projection"])
def test_the_gradients_of_all_paths_make_the_whole(variant: str) -> None:
    depth = 4
    cotangent = noise(SHAPE, 3)
    through = np.array(list(product([False, True], repeat=depth))).T
    stack = check_stack(SEED, X, 4, depth, variant, False)
    found = path_gradients(stack, cotangent, through)

    def end(x: jax.Array) -> jax.Array:
        for block in range(depth):
            made = SpecBlock(VARIANTS[variant], 4, nnx.Rngs(SEED + block))
            x = made(x, use_running_average=False)
        return jnp.vdot(cotangent, x)

    whole = np.asarray(jax.grad(end)(jnp.asarray(X)))
    np.testing.assert_allclose(found.sum(axis=0), whole, atol=1e-4 * np.abs(whole).max())
    if variant == "full_preact":  # nothing lies on the identity's path
        np.testing.assert_array_equal(found[0], cotangent)


def test_path_lengths() -> None:
    found = path_lengths(SEED, X, 4, depth=12, samples=5)
    np.testing.assert_array_equal(found.lengths, np.arange(13))
    np.testing.assert_allclose(found.paths, [comb(12, k) / 2**12 for k in range(13)])
    assert found.error[0] == pytest.approx(0, abs=1e-6)  # there is one path of length 0 and 12
    assert found.error[12] == pytest.approx(0, abs=1e-6)
    assert (found.error[1:12] > 0).all()
    long = path_lengths(SEED, X, 4, depth=100, samples=2)
    assert long.lengths.size == 33
    assert long.lengths[[0, -1]].tolist() == [0, 100]
    assert long.paths[16] == pytest.approx(comb(100, 50) / 2**100)


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
    with pytest.raises(InputError, match="accepted are at most 33,554,432"):
        propagate(0, np.zeros((512, 512, 8), np.float32), 8, depth=128)
    with pytest.raises(InputError, match="Paths need a shortcut"):
        path_lengths(0, X, 4, depth=4, variant="no_skip")
    with pytest.raises(InputError, match="kind must be one of delete, swap"):
        ablation(0, X, 4, depth=4, kind="burn")  # type: ignore[arg-type]
