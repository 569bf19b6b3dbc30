"""The split gradient against jax.grad of plain NNX and central differences in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError, trace_block
from explorer.analysis.receptive_field import influence
from explorer.engine.gradients import cotangent_of, split_gradient, split_trace
from explorer.model.variants import FIXES, V1, with_bias, zero_gamma
from tests.helpers import SMALL, noise
from tests.reference import stages
from tests.sketch import Sketch

X, C = noise(SMALL, 5), noise(SMALL, 6)
SEED = 3
RUNNABLE = [name for name in VARIANTS if name not in FIXES]


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("name", RUNNABLE)
def test_both_parts_make_the_total(name: str, use_running_average: bool) -> None:
    trace = trace_block(SEED, X, 4, variant=name, use_running_average=use_running_average)
    split = split_trace(trace, cotangent_of("random", trace))
    size = np.abs(split.total).max()
    np.testing.assert_allclose(split.identity + split.residual, split.total, atol=1e-5 * size)
    assert split.identity.any() == (VARIANTS[name].shortcut is not None)
    assert {stage: g.shape for stage, g in split.stages.items()} == {
        stage: v.shape for stage, v in trace.stages.items()
    }


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 2), (17, 9, 8)])
def test_total_is_jax_grad_of_plain_nnx(
    shape: tuple[int, int, int], use_running_average: bool
) -> None:
    x, cotangent = noise(shape, 1), noise(shape, 2)

    def loss(given: jax.Array) -> jax.Array:
        block = Sketch(shape[2], nnx.Rngs(SEED))
        stages = block.run(given, use_running_average=use_running_average)
        return jnp.vdot(cotangent, stages["out"])

    expected = jax.jit(jax.grad(loss))(jnp.asarray(x))
    split = split_gradient(
        SEED, x, shape[2], cotangent=cotangent, use_running_average=use_running_average
    )
    size = float(jnp.abs(expected).max()) or 1.0
    np.testing.assert_allclose(split.total, expected, atol=1e-5 * size)


def test_total_is_the_central_difference_in_float64() -> None:
    """Through BatchNorm's batch statistics too."""
    x, cotangent = noise((4, 3, 2), 8).astype(np.float64), noise((4, 3, 2), 9)
    trace = trace_block(SEED, x, 2)
    kernels = (
        trace.model.parameters["conv1"]["kernel"].astype(float),
        trace.model.parameters["conv2"]["kernel"].astype(float),
    )
    biases = (
        trace.model.parameters["conv1"]["bias"].astype(float),
        trace.model.parameters["conv2"]["bias"].astype(float),
    )
    split = split_trace(trace, cotangent)
    step = 1e-6
    for cell in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[cell] += sign * step
            ends.append(float(np.sum(cotangent * stages(moved, kernels, biases)["out"])))
        expected = (ends[0] - ends[1]) / (2 * step)
        assert split.total[cell] == pytest.approx(expected, abs=2e-4)


def test_the_sum_of_the_basic_block_copies_the_gradient() -> None:
    trace = trace_block(SEED, X, 4)
    split = split_trace(trace, C)
    expected = C * (trace["add"] > 0)
    for copy in (split.stages["add"], split.stages["bn2"], split.identity):
        np.testing.assert_array_equal(copy, expected)
    np.testing.assert_array_equal(split.stages["out"], C)
    np.testing.assert_array_equal(split.stages["x"], split.total)
    masked = split.stages["relu1"] * (trace["bn1"] > 0)
    np.testing.assert_array_equal(split.stages["bn1"], masked)


def test_the_residual_part_fades_with_gamma_and_the_identity_part_does_not_change() -> None:
    full = split_gradient(SEED, X, 4, cotangent=C, variant=zero_gamma(1.0))
    faded = split_gradient(SEED, X, 4, cotangent=C, variant=zero_gamma(1e-3))
    gone = split_gradient(SEED, X, 4, cotangent=C, variant=zero_gamma(0.0))
    assert np.linalg.norm(faded.residual) < 3e-3 * np.linalg.norm(full.residual)
    np.testing.assert_array_equal(gone.residual, 0)
    same = (full.trace["add"] > 0) == (gone.trace["add"] > 0)
    np.testing.assert_array_equal(full.identity[same], gone.identity[same])
    np.testing.assert_array_equal(gone.identity, C * (X > 0))


@pytest.mark.parametrize(("stage", "in_eval"), [("conv1", True), ("bn1", True), ("bn1", False)])
def test_a_dead_first_relu_ends_the_branchs_gradient_and_not_the_identitys(
    stage: str, in_eval: bool
) -> None:
    split = split_gradient(
        SEED, X, 4, cotangent=C, variant=with_bias(V1, stage, -50.0), use_running_average=in_eval
    )
    np.testing.assert_array_equal(split.trace["relu1"], 0)
    np.testing.assert_array_equal(split.residual, 0)
    np.testing.assert_array_equal(split.identity, C * (split.trace["add"] > 0))
    assert split.identity.any()


def test_in_train_mode_the_norm_removes_the_bias_of_conv1() -> None:
    original = trace_block(SEED, X, 4)
    shifted = trace_block(SEED, X, 4, variant=with_bias(V1, "conv1", -5.0))
    np.testing.assert_allclose(shifted["conv1"], original["conv1"] - 5, atol=1e-6)
    np.testing.assert_allclose(shifted["bn1"], original["bn1"], atol=1e-4)


@pytest.mark.parametrize("row", [0, 6, 11])
def test_one_pixel_stays_in_its_receptive_field_in_eval_mode_and_not_in_train_mode(
    row: int,
) -> None:
    x = noise((12, 12, 3), 4)
    for in_eval in (True, False):
        trace = trace_block(SEED, x, 3, use_running_average=in_eval)
        col, channel = np.argwhere(trace["out"][row] > 0)[0]
        split = split_trace(trace, cotangent_of("pixel", trace, (row, int(col), int(channel))))
        rows, cols = np.ogrid[:12, :12]
        outside = np.maximum(abs(rows - row), abs(cols - col)) > 2
        assert split.total[~outside].any()
        assert split.total[outside].any() == (not in_eval)


def test_cotangents() -> None:
    trace = trace_block(SEED, X, 4)
    np.testing.assert_array_equal(cotangent_of("ones", trace), 1)
    np.testing.assert_array_equal(cotangent_of("error", trace), trace["out"] - X)
    one = cotangent_of("pixel", trace, (2, 3, 1))
    assert one[2, 3, 1] == one.sum() == 1
    draws = [cotangent_of("random", trace, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_a_wrong_cotangent_is_refused() -> None:
    trace = trace_block(SEED, X, 4)
    with pytest.raises(InputError, match=r"cotangent must be a real array shaped like out"):
        split_trace(trace, np.ones((3, 3, 4)))
    with pytest.raises(InputError, match="must stay within float32's range"):
        split_trace(trace, np.full(SMALL, 1e300))
    with pytest.raises(InputError, match="must single out one pixel of out and has 192"):
        influence(split_trace(trace, np.ones(SMALL)))
    with pytest.raises(InputError, match="got dtype 'complex64'"):
        split_trace(trace, C.astype(np.complex64))
    with pytest.raises(InputError, match="pixel must lie within"):
        cotangent_of("pixel", trace, (9, 0, 0))
    with pytest.raises(InputError, match="kind must be one of ones"):
        cotangent_of("all", trace)  # type: ignore[arg-type]
    padded = trace_block(SEED, X, 4, variant="zero_pad")
    with pytest.raises(InputError, match="there is no squared error"):
        cotangent_of("error", padded)


def test_the_gradient_of_a_batch_is_jax_grad_of_plain_nnx() -> None:
    """Each image's gradient passes through the statistics of the whole batch."""
    batch, cotangent = np.stack([X, C]), np.stack([C, X])
    trace = trace_block(SEED, batch, 4)
    split = split_trace(trace, cotangent)

    def loss(given: jax.Array) -> jax.Array:
        return jnp.vdot(cotangent, Sketch(4, nnx.Rngs(SEED)).run(given)["out"])

    expected = jax.grad(loss)(jnp.asarray(batch))
    size = float(jnp.abs(expected).max())
    np.testing.assert_allclose(split.total, expected, atol=1e-5 * size)
    np.testing.assert_allclose(split.identity + split.residual, split.total, atol=1e-5 * size)


def test_a_batch_of_one_gives_the_gradient_of_its_image() -> None:
    one, image = (split_gradient(SEED, x, 4, cotangent=c) for x, c in ((X[None], C[None]), (X, C)))
    np.testing.assert_array_equal(one.total[0], image.total)
    np.testing.assert_array_equal(one.residual[0], image.residual)
