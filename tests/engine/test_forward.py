from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import STAGES, BasicBlock, InputError, resnet_basic_forward, trace_block
from explorer.engine.forward import EPSILON, MOMENTUM
from tests import reference
from tests.helpers import SHAPES, noise
from tests.sketch import Sketch


@pytest.mark.parametrize("shape", SHAPES)
def test_every_stage_agrees_with_plain_nnx_and_with_the_oracle(shape: tuple[int, int, int]) -> None:
    x = noise(shape)
    trace = trace_block(7, x, shape[2])
    sketch = Sketch(shape[2], nnx.Rngs(7))
    plain = sketch.run(x)
    kernels = [np.asarray(c.kernel[...], np.float64) for c in (sketch.conv1, sketch.conv2)]
    biases = (np.zeros(shape[2]), np.zeros(shape[2]))  # NNX's start
    oracle = reference.stages(x, (kernels[0], kernels[1]), biases)
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], plain[stage], atol=1e-5, err_msg=stage)
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=1e-5, err_msg=stage)


@pytest.mark.parametrize("shape", SHAPES[:5])
@pytest.mark.parametrize("passes", [0, 1, 5])
def test_eval_mode_agrees_with_the_oracle_after_real_train_passes(
    shape: tuple[int, int, int], passes: int
) -> None:
    x = noise(shape)
    sketch = Sketch(shape[2], nnx.Rngs(7))
    for _ in range(passes):
        sketch.run(x)
    plain = sketch.run(x, use_running_average=True)
    trace = trace_block(7, x, shape[2], use_running_average=True, warmup_passes=passes)
    running = tuple(
        (np.asarray(norm.mean[...], np.float64), np.asarray(norm.var[...], np.float64))
        for norm in (sketch.bn1, sketch.bn2)
    )
    kernels, biases = list(trace.kernels.values()), list(trace.biases.values())
    oracle = reference.stages(x, tuple(kernels), tuple(biases), running)  # type: ignore[arg-type]
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], plain[stage], atol=1e-5, err_msg=stage)
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=1e-5, err_msg=stage)


def test_out_is_the_output_of_the_same_forward_pass() -> None:
    x = noise((12, 10, 3))
    forward = resnet_basic_forward(5, x, 3)
    np.testing.assert_allclose(trace_block(5, x, 3)["out"].reshape(-1), forward, atol=1e-5)


def test_trace_and_forward_both_run_the_blocks_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes `BasicBlock.stages` changes both: neither has a copy of it."""
    calls = []
    original = BasicBlock.stages

    def counted(self: BasicBlock, x, use_running_average):  # type: ignore[no-untyped-def]
        calls.append(x.shape)
        return original(self, x, use_running_average)

    monkeypatch.setattr(BasicBlock, "stages", counted)
    shape = (3, 7, 2)  # used nowhere else, so that the jitted pass is traced anew
    resnet_basic_forward(0, noise(shape), 2)
    trace_block(0, noise(shape), 2)
    assert calls == [shape, shape]


@pytest.mark.parametrize("features", [1, 6, 23, 64])
def test_kernels_are_bit_for_bit_those_of_nnx(features: int) -> None:
    block = BasicBlock(features, nnx.Rngs(2**32 - 1))
    trace = trace_block(2**32 - 1, noise((4, 4, features)), features)
    np.testing.assert_array_equal(
        trace.model.parameters["conv1"]["kernel"], block.conv1.kernel[...]
    )
    np.testing.assert_array_equal(
        trace.model.parameters["conv2"]["kernel"], block.conv2.kernel[...]
    )
    np.testing.assert_array_equal(trace.model.parameters["conv1"]["bias"], np.zeros(features))


@pytest.mark.parametrize("use_running_average", [False, True])
def test_running_statistics_before_and_after(use_running_average: bool) -> None:
    x = noise((9, 8, 3))
    trace = trace_block(4, x, 3, use_running_average=use_running_average)
    for norm, conv in (("bn1", "conv1"), ("bn2", "conv2")):
        record = trace.norms[norm]
        mean, var = reference.statistics(trace[conv].astype(np.float64))
        np.testing.assert_allclose(record.batch_mean, mean, atol=1e-6)
        np.testing.assert_allclose(record.batch_var, var, atol=1e-6)
        np.testing.assert_array_equal(record.mean_before, np.zeros(3))
        np.testing.assert_array_equal(record.var_before, np.ones(3))
        if use_running_average:
            np.testing.assert_array_equal(record.mean_after, record.mean_before)
            np.testing.assert_array_equal(record.var_after, record.var_before)
            np.testing.assert_array_equal(record.mean, record.mean_before)
        else:
            np.testing.assert_allclose(record.mean_after, 0.01 * mean, atol=1e-7)
            np.testing.assert_allclose(record.var_after, 0.99 + 0.01 * var, atol=1e-6)
            np.testing.assert_array_equal(record.mean, record.batch_mean)


def test_warmup_moves_the_statistics_as_real_passes_do() -> None:
    x = noise((6, 6, 2))
    sketch = Sketch(2, nnx.Rngs(0))
    for _ in range(40):
        sketch.run(x)
    trace = trace_block(0, x, 2, use_running_average=True, warmup_passes=40)
    np.testing.assert_allclose(trace.norms["bn1"].mean_before, sketch.bn1.mean[...], atol=1e-6)
    np.testing.assert_allclose(trace.norms["bn2"].var_before, sketch.bn2.var[...], atol=1e-6)


def test_epsilon_and_momentum_are_those_of_the_norms() -> None:
    block = BasicBlock(1, nnx.Rngs(0))
    assert (block.bn1.epsilon, block.bn2.momentum) == (EPSILON, MOMENTUM)


def test_identities() -> None:
    trace = trace_block(1, noise((16, 16, 4)), 4)
    np.testing.assert_array_equal(trace["add"], trace["bn2"] + trace["x"])
    np.testing.assert_array_equal(trace["out"], np.maximum(trace["add"], 0))
    np.testing.assert_array_equal(trace["relu1"], np.maximum(trace["bn1"], 0))
    np.testing.assert_allclose(trace["bn2"].mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(trace["bn2"].var(axis=(0, 1)), 1, atol=1e-3)


def test_arrays_are_read_only_and_independent_of_the_caller() -> None:
    x = noise((256, 256, 2))
    trace = trace_block(0, x, 2)
    kept = x.copy()
    x[:] = 0
    np.testing.assert_array_equal(trace["x"], kept)
    for stage in STAGES:
        assert trace[stage].dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            trace[stage][0, 0, 0] = 1


def test_the_callers_array_does_not_change() -> None:
    x = noise((5, 5, 2))
    kept = x.copy()
    trace_block(0, x, 2)
    np.testing.assert_array_equal(x, kept)


def test_the_same_arguments_give_the_same_bits() -> None:
    x = noise((20, 20, 8))
    assert trace_block(1, x, 8).digest() == trace_block(1.0, x, 8.0).digest()
    assert trace_block(1, x, 8).digest() != trace_block(2, x, 8).digest()


@pytest.mark.parametrize("passes", [-1, 0.5, 1001, float("nan"), "3"])
def test_bad_warmup_is_refused(passes: object) -> None:
    with pytest.raises(InputError, match="warmup_passes must be an integer from 0 to 1000"):
        trace_block(0, noise((2, 2, 1)), 1, warmup_passes=passes)  # type: ignore[arg-type]


@settings(max_examples=12, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    seed=st.integers(0, 2**32 - 1),
    use_running_average=st.booleans(),
)
def test_any_shape_and_seed_agrees_with_the_oracle(
    shape: tuple[int, int, int], seed: int, use_running_average: bool
) -> None:
    x = noise(shape, seed)
    trace = trace_block(seed, x, shape[2], use_running_average=use_running_average)
    fresh = (np.zeros(shape[2]), np.ones(shape[2]))
    oracle = reference.stages(
        x,
        (trace.model.parameters["conv1"]["kernel"], trace.model.parameters["conv2"]["kernel"]),
        (trace.model.parameters["conv1"]["bias"], trace.model.parameters["conv2"]["bias"]),
        (fresh, fresh) if use_running_average else None,
    )
    # A near-constant channel is divided by √(tiny + ε): rounding grows by up to 1/√ε.
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=2e-3, err_msg=stage)


def experiments() -> list[dict[str, Any]]:
    """Fifty runs that differ in seed, shape, mode and variant."""
    shapes = [(7, 5, 3), (16, 16, 4), (1, 1, 2), (9, 12, 8), (24, 8, 5)]
    variants = ["v1", "no_skip", "full_preact", "relu_before_add", "zero_gamma"]
    found = []
    for number in range(50):
        shape = shapes[number % 5]
        found.append(
            {
                "seed": number,
                "x": np.random.default_rng(number).standard_normal(shape).astype(np.float32),
                "features": shape[2],
                "use_running_average": number % 3 == 0,
                "warmup_passes": number % 4,
                "variant": variants[number // 10],
            }
        )
    return found


def fingerprint(run: dict[str, Any]) -> tuple[str, ...]:
    trace = trace_block(**run)
    return tuple(trace.digest(stage) for stage in trace.stages)


def test_thirty_two_threads_get_what_one_gets_bit_for_bit() -> None:
    runs = experiments()
    serial = [fingerprint(run) for run in runs]
    assert len(set(serial)) == 50

    def all_in_any_order(thread: int) -> bool:
        order = np.random.default_rng(thread).permutation(50)
        return all(fingerprint(runs[number]) == serial[number] for number in order)

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(all_in_any_order, range(32)))
