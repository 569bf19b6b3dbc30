"""Every variant against its formula in the papers, written apart from the specs."""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import STAGES, VARIANTS, BasicBlock, BlockSpec, BlockTrace, InputError, trace_block
from explorer.model.layers import ReLU
from explorer.model.spec_block import SpecBlock
from explorer.model.variants import (
    CROPPED_IDENTITY,
    V1,
    projection,
    scaled_skip,
    zero_gamma,
    zero_pad,
)
from tests.helpers import SMALL, noise
from tests.reference import batch_norm_of as bn
from tests.reference import conv, relu
from tests.sketch import Sketch

SHAPE = SMALL
X = noise(SHAPE, 5)
SEED = 9


def run(variant: str | BlockSpec) -> BlockTrace:
    return trace_block(SEED, X, SHAPE[2], variant=variant)


def kernels(trace: BlockTrace) -> tuple[np.ndarray, ...]:
    return tuple(
        values["kernel"].astype(np.float64)
        for values in trace.model.parameters.values()
        if "kernel" in values
    )


def kernel_of(trace: BlockTrace, *names: str) -> tuple[np.ndarray, ...]:
    parameters = trace.model.parameters
    return tuple(parameters[name]["kernel"].astype(np.float64) for name in names)


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (17, 9, 3), (32, 32, 16)])
def test_v1_is_the_basic_block_bit_for_bit(
    shape: tuple[int, int, int], use_running_average: bool
) -> None:
    x = jnp.asarray(noise(shape))
    block, spec = BasicBlock(shape[2], nnx.Rngs(3)), SpecBlock(V1, shape[2], nnx.Rngs(3))
    expected = block.stages(x, use_running_average)
    found = spec.stages(x, use_running_average)
    assert tuple(found) == tuple(expected) == STAGES == V1.stages()
    for stage in STAGES:
        np.testing.assert_array_equal(found[stage], expected[stage])
    running = nnx.to_pure_dict(nnx.state(spec, nnx.BatchStat))
    np.testing.assert_array_equal(running["bn2"]["mean"], block.bn2.mean[...])


def no_skip(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return relu(bn(conv(relu(bn(conv(x, k1))), k2)))


def relu_before_add(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return x + relu(bn(conv(relu(bn(conv(x, k1))), k2)))


def bn_after_add(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return relu(bn(x + conv(relu(bn(conv(x, k1))), k2)))


def relu_only_preact(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return x + bn(conv(relu(bn(conv(relu(x), k1))), k2))


def full_preact(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return x + conv(relu(bn(conv(relu(bn(x)), k1))), k2)


def scaled(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return relu(0.5 * x + 0.5 * bn(conv(relu(bn(conv(x, k1))), k2)))


def no_bn(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    return relu(x + conv(relu(conv(x, k1)), k2))


def padded(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    residual = bn(conv(relu(bn(conv(x, k1))), k2))
    residual[:, :, : x.shape[2]] += x
    return relu(residual)


def cropped(x: np.ndarray, k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    branch = bn(conv(relu(bn(conv(x, k1, padding=0))), k2, padding=0))
    return relu(x[2:-2, 2:-2] + branch)


FORMULAS: list[tuple[str | BlockSpec, Callable[..., np.ndarray]]] = [
    ("no_skip", no_skip),
    ("relu_before_add", relu_before_add),
    ("bn_after_add", bn_after_add),
    ("relu_only_preact", relu_only_preact),
    ("full_preact", full_preact),
    ("scaled_skip", scaled),
    ("no_bn", no_bn),
    ("zero_pad", padded),
    (CROPPED_IDENTITY, cropped),
]


@pytest.mark.parametrize(
    ("variant", "formula"), FORMULAS, ids=[formula.__name__ for _, formula in FORMULAS]
)
def test_a_variant_is_its_formula(
    variant: str | BlockSpec, formula: Callable[..., np.ndarray]
) -> None:
    """Placements after He et al. 2016, Fig. 4 (b), (c), (d), (e)."""
    trace = run(variant)
    np.testing.assert_allclose(trace["out"], formula(X, *kernels(trace)), atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_projection_pads_as_torchvision_does(stride: int, size: tuple[int, int]) -> None:
    """conv3×3 with padding 1 on both sides and 1×1 with padding 0, both with the stride."""
    x = noise((*size, 4), 5)
    trace = trace_block(SEED, x, 4, variant=projection(10, stride))
    k1, k2, proj = kernel_of(trace, "conv1", "conv2", "proj")
    branch = bn(conv(relu(bn(conv(x, k1, stride))), k2))
    shortcut = bn(conv(x, proj, stride, padding=0))
    np.testing.assert_allclose(trace["out"], relu(branch + shortcut), atol=1e-5)
    assert trace["out"].shape == (-(-size[0] // stride), -(-size[1] // stride), 10)


def test_zero_pad_at_stride_2_takes_every_second_pixel() -> None:
    trace = run(zero_pad(9, stride=2))
    np.testing.assert_array_equal(trace["pad"][:, :, :4], X[::2, ::2])
    np.testing.assert_array_equal(trace["pad"][:, :, 4:], 0)


def test_bottleneck_is_its_formula() -> None:
    x = noise((7, 6, 8), 1)
    trace = trace_block(SEED, x, 8, variant="bottleneck")
    k1, k2, k3 = kernel_of(trace, "conv1", "conv2", "conv3")
    assert (k1.shape, k2.shape, k3.shape) == ((1, 1, 8, 2), (3, 3, 2, 2), (1, 1, 2, 8))
    inner = relu(bn(conv(relu(bn(conv(x, k1, padding=0))), k2)))
    expected = relu(x + bn(conv(inner, k3, padding=0)))
    np.testing.assert_allclose(trace["out"], expected, atol=1e-5)


def test_transformer_mlp_is_plain_nnx() -> None:
    rngs = nnx.Rngs(SEED)
    Sketch(4, rngs)  # the canonical block's share of the stream
    norm = nnx.LayerNorm(4, rngs=rngs)
    wide, back = nnx.Linear(4, 16, rngs=rngs), nnx.Linear(16, 4, rngs=rngs)
    tokens = jnp.asarray(X)
    expected = tokens + back(jax.nn.gelu(wide(norm(tokens))))
    np.testing.assert_allclose(run("transformer_mlp")["out"], expected, atol=1e-5)


def test_transformer_attention_is_softmax_of_scaled_products() -> None:
    rngs = nnx.Rngs(SEED)
    Sketch(4, rngs)
    norm = nnx.LayerNorm(4, rngs=rngs)
    attention = nnx.MultiHeadAttention(1, 4, decode=False, rngs=rngs)
    tokens = np.asarray(norm(jnp.asarray(X)), np.float64).reshape(-1, 4)

    def linear(layer: nnx.LinearGeneral, v: np.ndarray) -> np.ndarray:
        kernel = np.asarray(layer.kernel[...], np.float64).reshape(4, 4)
        assert layer.bias is not None
        return v @ kernel + np.asarray(layer.bias[...], np.float64).reshape(4)

    query, key, value = (
        linear(layer, tokens) for layer in (attention.query, attention.key, attention.value)
    )
    scores = np.exp(query @ key.T / np.sqrt(4))
    mixed = scores / scores.sum(axis=1, keepdims=True) @ value
    expected = X + linear(attention.out, mixed).reshape(SHAPE)
    np.testing.assert_allclose(run("transformer_attention")["out"], expected, atol=1e-5)


def test_attention_on_too_many_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="65×64 are 4,160 tokens, the limit is 4,096"):
        trace_block(0, np.zeros((65, 64, 1)), 1, variant="transformer_attention")


def test_zero_gamma_at_0_is_relu_of_x_exactly() -> None:
    np.testing.assert_array_equal(run("zero_gamma")["out"], np.maximum(X, 0))
    np.testing.assert_array_equal(run(zero_gamma(1.0))["out"], run("v1")["out"])


def test_no_skip_and_x_make_the_sum_of_v1() -> None:
    np.testing.assert_allclose(run("no_skip")["bn2"] + X, run("v1")["add"], atol=1e-6)


def test_a_skip_scaled_by_1_is_v1() -> None:
    np.testing.assert_array_equal(run(scaled_skip(1.0))["out"], run("v1")["out"])


def test_pre_activation_leaves_the_sum_as_it_is() -> None:
    before = run("relu_before_add")
    assert (before["out"] >= before["x"]).all()
    for preact in ("relu_only_preact", "full_preact"):
        trace = run(preact)
        np.testing.assert_array_equal(trace["out"], trace["add"])
        assert (trace["out"] < 0).any()


def test_eval_untrained_divides_by_nearly_1_until_warm_up() -> None:
    fresh = run("eval_untrained")
    assert fresh.use_running_average
    np.testing.assert_allclose(fresh["bn1"], fresh["conv1"], rtol=1e-5, atol=1e-6)
    fixed = trace_block(SEED, X, 4, variant="eval_untrained", warmup_passes=1000)
    np.testing.assert_allclose(fixed["out"], run("v1")["out"], atol=2e-3)


@pytest.mark.parametrize(
    ("variant", "shapes"),
    [
        ("valid_padding", r"F\(x\) has shape \(4, 2, 4\) and the shortcut \(8, 6, 4\)"),
        ("wrong_channels", r"F\(x\) has shape \(8, 6, 8\) and the shortcut \(8, 6, 4\)"),
    ],
)
def test_two_variants_do_not_run_and_say_why(variant: str, shapes: str) -> None:
    with pytest.raises(InputError, match=f"{shapes}.*JAX says: add got incompatible shapes"):
        run(variant)


def test_a_single_channel_is_not_broadcast() -> None:
    """`+` would broadcast one channel of x over two of F(x) silently."""
    with pytest.raises(InputError, match="would silently broadcast the single channel"):
        trace_block(0, np.ones((4, 4, 1)), 1, variant="wrong_channels")


@pytest.mark.parametrize("name", VARIANTS)
def test_every_spec_has_texts_and_ends_in_out(name: str) -> None:
    spec = VARIANTS[name]
    assert spec.title
    assert spec.description.endswith(".")
    assert spec.source
    assert spec.stages()[0] == "x"
    assert spec.stages()[-1] == "out"
    assert len(set(spec.stages())) == len(spec.stages())


def test_common_layers_have_the_same_weights() -> None:
    first = run("v1").model.parameters
    for name in ("no_skip", "full_preact", "bn_after_add", "no_bn", "projection"):
        for conv_name in ("conv1", "conv2"):
            found = run(name).model.parameters[conv_name]["kernel"]
            np.testing.assert_array_equal(found, first[conv_name]["kernel"])


def test_a_spec_of_the_users_own_is_traced() -> None:
    own = replace(V1, title="No last ReLU", after=())
    np.testing.assert_array_equal(run(own)["out"], run("v1")["add"])
    twice = replace(V1, after=(("relu2", ReLU()), ("out", ReLU())))
    np.testing.assert_array_equal(run(twice)["out"], run("v1")["out"])


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(InputError, match=r"variant must be one of v1, no_skip, .*; got 'v2'"):
        run("v2")


def test_a_variant_that_would_grow_its_input_too_far_is_refused_before_it_runs() -> None:
    x = np.zeros((512, 512, 8), np.float32)
    with pytest.raises(InputError, match=r"conv1 would have 512×512×512 = 134,217,728 values"):
        trace_block(0, x, 8, variant=projection(512))


def test_widths_are_the_channels_of_the_stages() -> None:
    for name in ("v1", "projection", "zero_pad", "bottleneck", "transformer_mlp", "no_skip"):
        trace = run(name)
        shapes = {stage: values.shape[2] for stage, values in trace.stages.items()}
        assert VARIANTS[name].widths(4) == shapes


def test_sources_name_who_published_what() -> None:
    assert "eq. 1;" in VARIANTS["v1"].source  # eq. 2 is the projection
    assert "eq. 2" in VARIANTS["wrong_channels"].source
    vaswani, pre_norm, gelu = VARIANTS["transformer_mlp"].source.split("; ")
    assert vaswani == "Vaswani et al. 2017, with ReLU and LayerNorm after the sum"
    assert pre_norm == "LayerNorm before the branch: Xiong et al. 2020"
    assert gelu == "GELU: Hendrycks & Gimpel 2016"
    attention = VARIANTS["transformer_attention"].source
    assert attention.split("; ") == [vaswani.replace("ReLU and ", ""), pre_norm]


def test_an_untrained_norm_in_eval_mode_divides_by_what_its_description_says() -> None:
    assert "only divides by √(1 + 10⁻⁵)" in VARIANTS["eval_untrained"].description
    trace = run("eval_untrained")
    for norm, source in (("bn1", "conv1"), ("bn2", "conv2")):
        np.testing.assert_allclose(trace[norm], trace[source] / np.sqrt(1 + 1e-5), rtol=1e-6)
