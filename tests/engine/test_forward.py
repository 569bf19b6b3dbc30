from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import (
    STAGES,
    VARIANTS,
    BasicBlock,
    InputError,
    Model,
    propagate,
    resnet_basic_forward,
    split_gradient,
    trace_block,
    trace_model,
)
from explorer.model.layers import DEFAULT_BATCH_NORM, BatchNormSettings
from explorer.model.spec_block import SpecBlock, build_block
from explorer.model.variants import FIXES
from tests import reference
from tests.helpers import SHAPES, SMALL, noise
from tests.sketch import Sketch


@pytest.mark.parametrize("shape", SHAPES)
def test_every_stage_agrees_with_plain_nnx_and_with_the_oracle(shape: tuple[int, int, int]) -> None:
    x = noise(shape)
    trace = trace_block(7, x, shape[2])
    sketch = Sketch(shape[2], nnx.Rngs(7))
    expected = sketch.run(x)
    kernels = [np.asarray(c.kernel[...], np.float64) for c in (sketch.conv1, sketch.conv2)]
    biases = (np.zeros(shape[2]), np.zeros(shape[2]))  # NNX's start
    oracle = reference.stages(x, (kernels[0], kernels[1]), biases)
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], expected[stage], atol=1e-5, err_msg=stage)
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=1e-5, err_msg=stage)


@pytest.mark.parametrize("shape", SHAPES[:5])
@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_eval_mode_agrees_with_the_oracle_after_real_train_passes(
    shape: tuple[int, int, int], warmup: int
) -> None:
    x = noise(shape)
    sketch = Sketch(shape[2], nnx.Rngs(7))
    for _ in range(warmup):
        sketch.run(x)
    expected = sketch.run(x, use_running_average=True)
    trace = trace_block(7, x, shape[2], use_running_average=True, warmup_passes=warmup)
    running = tuple(
        (np.asarray(norm.mean[...], np.float64), np.asarray(norm.var[...], np.float64))
        for norm in (sketch.bn1, sketch.bn2)
    )
    parameters = [trace.model.parameters[conv] for conv in ("conv1", "conv2")]
    kernels, biases = ([conv[part] for conv in parameters] for part in ("kernel", "bias"))
    oracle = reference.stages(x, tuple(kernels), tuple(biases), running)  # type: ignore[arg-type]
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], expected[stage], atol=1e-5, err_msg=stage)
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=1e-5, err_msg=stage)


def test_out_is_the_output_of_the_same_forward_pass() -> None:
    x = noise((12, 10, 3))
    forward = resnet_basic_forward(5, x, 3)
    np.testing.assert_allclose(trace_block(5, x, 3)["out"].reshape(-1), forward, atol=1e-5)


def test_forward_trace_gradient_and_stack_all_run_the_literal_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They call `BasicBlock.stages`, never the spec's module."""
    calls = []
    original = BasicBlock.stages

    def counted(self, x, *arguments):  # type: ignore[no-untyped-def]
        calls.append(x.shape)
        return original(self, x, *arguments)

    def refused(*arguments: object) -> None:
        raise AssertionError("the spec's module runs")

    monkeypatch.setattr(BasicBlock, "stages", counted)
    monkeypatch.setattr(SpecBlock, "stages", refused)
    shape = (3, 7, 2)  # used nowhere else, so that the jitted pass is traced anew
    for run in (
        lambda: resnet_basic_forward(0, noise(shape), 2),
        lambda: trace_block(0, noise(shape), 2),
        lambda: split_gradient(0, noise(shape), 2, cotangent=np.ones(shape)),
        lambda: propagate(0, noise(shape), 2, depth=2),
    ):
        calls.clear()
        run()
        assert set(calls) == {shape}


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


def test_the_default_epsilon_and_momentum_are_those_of_nnx() -> None:
    block = BasicBlock(1, nnx.Rngs(0))
    assert BatchNormSettings(block.bn1.epsilon, block.bn2.momentum) == DEFAULT_BATCH_NORM


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
    original = x.copy()
    x[:] = 0
    np.testing.assert_array_equal(trace["x"], original)
    for stage in STAGES:
        assert trace[stage].dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            trace[stage][0, 0, 0] = 1


def test_the_callers_array_does_not_change() -> None:
    x = noise((5, 5, 2))
    original = x.copy()
    trace_block(0, x, 2)
    np.testing.assert_array_equal(x, original)


def test_the_same_arguments_give_the_same_bits() -> None:
    x = noise((20, 20, 8))
    assert trace_block(1, x, 8).digest() == trace_block(1.0, x, 8.0).digest()
    assert trace_block(1, x, 8).digest() != trace_block(2, x, 8).digest()


@pytest.mark.parametrize("warmup", [-1, 0.5, 1001, float("nan"), "3"])
def test_bad_warmup_is_refused(warmup: object) -> None:
    with pytest.raises(InputError, match="warmup_passes must be an integer from 0 to 1000"):
        trace_block(0, noise((2, 2, 1)), 1, warmup_passes=warmup)  # type: ignore[arg-type]


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
    shapes = [SMALL, (1, 1, 2)]
    variants = ["v1", "no_skip", "full_preact", "relu_before_add", "zero_gamma"]
    found = []
    for index in range(50):
        shape = shapes[index % 2]
        found.append(
            {
                "seed": index,
                "x": np.random.default_rng(index).standard_normal(shape).astype(np.float32),
                "features": shape[2],
                "use_running_average": index % 3 == 0,
                "warmup_passes": index % 4,
                "variant": variants[index // 10],
            }
        )
    return found


def digests(run: dict[str, Any]) -> tuple[str, ...]:
    trace = trace_block(**run)
    return tuple(trace.digest(stage) for stage in trace.stages)


def test_thirty_two_threads_get_what_one_gets_bit_for_bit() -> None:
    runs = experiments()
    serial = [digests(run) for run in runs]
    assert len(set(serial)) == 50

    def all_in_any_order(thread: int) -> bool:
        order = np.random.default_rng(thread).permutation(50)
        return all(digests(runs[index]) == serial[index] for index in order)

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(all_in_any_order, range(32)))


def test_epsilon_and_momentum_belong_to_the_model() -> None:
    norm_settings, x = BatchNormSettings(epsilon=1e-2, momentum=0.9), noise((7, 5, 3))
    model = Model.from_seed(7, 3, batch_norm=norm_settings)
    block = BasicBlock(3, nnx.Rngs(7), epsilon=1e-2, momentum=0.9)
    for _ in range(2):
        block(jnp.asarray(x), use_running_average=False)
    expected = block.stages(jnp.asarray(x), use_running_average=True)
    trace = trace_model(model, x, use_running_average=True, warmup_passes=2)
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], expected[stage], atol=1e-5, err_msg=stage)
    for name, norm in trace.norms.items():
        running = getattr(block, name)
        assert (norm.epsilon, norm.momentum) == (running.epsilon, running.momentum)
        np.testing.assert_allclose(norm.mean_before, running.mean[...], atol=1e-6)
        np.testing.assert_allclose(norm.var_before, running.var[...], atol=1e-6)
    train = trace_model(model, x)
    kernels, biases = (
        tuple(model.parameters[conv][part] for conv in ("conv1", "conv2"))
        for part in ("kernel", "bias")
    )
    oracle = reference.stages(x, kernels, biases, epsilon=1e-2)
    for stage in STAGES:
        np.testing.assert_allclose(train[stage], oracle[stage], atol=1e-5, err_msg=stage)
    assert np.abs(train["bn1"] - trace_block(7, x, 3)["bn1"]).max() > 1e-3


BATCH = np.stack([noise((7, 5, 4), seed) for seed in (1, 2, 3)])


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_a_batch_agrees_with_plain_nnx_in_every_variant(
    name: str, use_running_average: bool
) -> None:
    """In train mode the statistics are over N, H and W, as in a training step."""
    spec = VARIANTS[name]
    model = Model.from_seed(7, 4, name)
    trace = trace_model(model, BATCH, use_running_average=use_running_average)
    block = build_block(spec, 4, nnx.Rngs(7), model.batch_norm)
    expected = block.stages(jnp.asarray(BATCH), use_running_average or spec.always_eval)
    for stage, values in trace.stages.items():
        np.testing.assert_allclose(values, expected[stage], atol=1e-5, err_msg=stage)
    for norm, record in trace.norms.items():
        source = trace[spec.inputs()[norm]].astype(np.float64)
        np.testing.assert_allclose(record.batch_mean, source.mean(axis=(0, 1, 2)), atol=1e-6)
        np.testing.assert_allclose(record.batch_var, source.var(axis=(0, 1, 2)), atol=1e-5)
        np.testing.assert_allclose(record.mean_after, getattr(block, norm).mean[...], atol=1e-6)


def test_a_batch_agrees_with_the_oracle() -> None:
    trace = trace_block(7, BATCH, 4)
    kernels, biases = (
        tuple(trace.model.parameters[conv][part] for conv in ("conv1", "conv2"))
        for part in ("kernel", "bias")
    )
    oracle = reference.batch_stages(BATCH, kernels, biases)
    for stage in STAGES:
        np.testing.assert_allclose(trace[stage], oracle[stage], atol=1e-5, err_msg=stage)


@pytest.mark.parametrize("name", ["v1", "zero_pad", "transformer_attention"])
def test_a_batch_of_one_gives_the_same_bits_as_its_image(name: str) -> None:
    one, image = (trace_block(7, x, 4, variant=name) for x in (BATCH[:1], BATCH[0]))
    for stage in image.stages:
        np.testing.assert_array_equal(one[stage][0], image[stage])
        np.testing.assert_array_equal(one.image(0)[stage], image[stage])
    assert one.image(0).digest() == image.digest()


def test_a_trace_of_a_batch_is_asked_for_an_image() -> None:
    trace = trace_block(7, BATCH, 4)
    assert trace.is_batch
    image = trace.image(2)
    assert not image.is_batch
    np.testing.assert_array_equal(image["add"], trace["add"][2])
    assert image.norms is trace.norms
    with pytest.raises(InputError, match="index must be an integer from 0 to 2, got 3"):
        trace.image(3)
    with pytest.raises(InputError, match="this trace is of one image"):
        image.image(0)
