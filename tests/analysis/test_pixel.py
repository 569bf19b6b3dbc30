from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import STAGES, VARIANTS, BlockSpec, BlockTrace, InputError, trace_block
from explorer.analysis.pixel import (
    Activation,
    Arithmetic,
    AttentionSum,
    Cell,
    Copy,
    Normalisation,
    Pooled,
    Product,
    Sum,
    WeightedSum,
    cell_at,
    explain,
)
from explorer.inputs import generate
from explorer.model.layers import (
    GELU,
    Attention,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    LayerNorm,
    PadChannels,
    ReLU,
    Scale,
)
from explorer.model.pooling import AvgPool, MaxPool
from explorer.model.variants import (
    CROPPED_IDENTITY,
    FIXES,
    PROJECTED_IDENTITY,
    projection,
    zero_pad,
)
from tests import reference
from tests.helpers import SMALL, noise

SHAPE = (9, 7, 5)
RUNNABLE: dict[str, BlockSpec] = {
    **{name: spec for name, spec in VARIANTS.items() if name not in FIXES},
    "cropped": CROPPED_IDENTITY,
    "projected": PROJECTED_IDENTITY,
    "projection, stride 2": projection(8, 2),
    "zero channels, stride 2": zero_pad(8, 2),
    "zero channels around": replace(
        zero_pad(9, 2), shortcut=(("pad", PadChannels(9, 2, "around")),)
    ),
    "pooled": replace(
        projection(8, 2),
        shortcut=(("pool", AvgPool()), ("proj", Conv(size=1, out=8))),
        after=(("relu2", ReLU()), ("out", MaxPool())),
    ),
}


@pytest.fixture(scope="module", params=["train", "eval"])
def trace(request: pytest.FixtureRequest) -> BlockTrace:
    return trace_block(
        2,
        generate("normal", *SHAPE, seed=1),
        SHAPE[2],
        use_running_average=request.param == "eval",
        warmup_passes=3,
    )


def cells(stage: str, shape: tuple[int, ...]) -> list[Cell]:
    """Return corners, borders and a few more cells of a stage, in random channels."""
    rng = np.random.default_rng(0)
    height, width, channels = shape
    pixels = [(r, c) for r in (0, height // 2, height - 1) for c in (0, width // 2, width - 1)]
    pixels += [tuple(rng.integers(0, (height, width))) for _ in range(12)]
    return [Cell(stage, int(r), int(c), int(rng.integers(channels))) for r, c in pixels]


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_value_equals_the_traced_one_in_every_stage_of_every_variant(
    name: str, use_running_average: bool
) -> None:
    trace = trace_block(
        2,
        noise(SMALL),
        4,
        variant=RUNNABLE[name],
        use_running_average=use_running_average,
        warmup_passes=3,
    )
    for stage, values in trace.stages.items():
        for cell in cells(stage, values.shape):
            found = explain(trace, cell)
            assert found.traced == values[cell.row, cell.col, cell.channel]
            assert found.value == pytest.approx(found.traced, rel=2e-6, abs=4e-6), (stage, cell)


def independent(trace: BlockTrace, stage: str) -> np.ndarray:
    """Return a stage computed in NumPy from the stages before it, by the type of its layer."""
    spec, weights = trace.spec, {k: dict(v) for k, v in trace.model.parameters.items()}
    sources = [trace[source].astype(np.float64) for source in spec.sources()[stage]]
    v, layer = sources[0], spec.layers().get(stage)
    if layer is None:
        return np.sum(sources, axis=0)
    if isinstance(layer, Conv):
        padding = 0 if layer.padding == "VALID" else (layer.size - 1) // 2
        found = reference.conv(v, weights[stage]["kernel"], layer.stride, padding)
        return found + weights[stage]["bias"]
    if isinstance(layer, BatchNorm):
        mean, var = reference.statistics(v)
        if trace.use_running_average:
            mean, var = trace.norms[stage].mean_before, trace.norms[stage].var_before
        scale, shift = (weights[stage][key] for key in ("scale", "bias"))
        return reference.batch_norm(v, mean, var, scale, shift)
    if isinstance(layer, Dense):
        return v @ weights[stage]["kernel"] + weights[stage]["bias"]
    if isinstance(layer, LayerNorm):
        centred = v - v.mean(axis=2, keepdims=True)
        scaled = centred / np.sqrt(v.var(axis=2, keepdims=True) + 1e-6)
        return scaled * weights[stage]["scale"] + weights[stage]["bias"]
    if isinstance(layer, Attention):
        return attention(v, weights[stage])
    if isinstance(layer, Crop):
        return v[layer.margin : -layer.margin, layer.margin : -layer.margin]
    if isinstance(layer, PadChannels):
        strided = v[:: layer.stride, :: layer.stride]
        missing = trace[stage].shape[2] - v.shape[2]
        before = missing // 2 if layer.zeros == "around" else 0
        return np.pad(strided, [(0, 0), (0, 0), (before, missing - before)])
    if isinstance(layer, MaxPool):
        return reference.max_pool(v, layer.size, layer.stride, layer.size // 2)
    if isinstance(layer, AvgPool):
        return reference.average_pool(v, layer.size)
    if isinstance(layer, Scale):
        return layer.factor * v
    if isinstance(layer, GELU):
        return v * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3))) / 2
    assert isinstance(layer, ReLU)
    return reference.relu(v)


def attention(v: np.ndarray, weights: dict[str, Any]) -> np.ndarray:
    tokens = v.reshape(-1, v.shape[2])
    query, key, value = (
        tokens @ weights[name]["kernel"][:, 0] + weights[name]["bias"][0]
        for name in ("query", "key", "value")
    )
    parts = np.exp(query @ key.T / np.sqrt(v.shape[2]))
    mixed = parts / parts.sum(axis=1, keepdims=True) @ value
    return (mixed @ weights["out"]["kernel"][0] + weights["out"]["bias"]).reshape(v.shape)


def value_of_terms(found: Arithmetic, trace: BlockTrace) -> float:
    """Return the value that the printed terms add up to; they must be values of the trace."""
    at = found.cell.row, found.cell.col, found.cell.channel
    match found:
        case WeightedSum():
            kernel = trace.model.parameters[found.cell.stage]["kernel"][..., at[2]]
            np.testing.assert_array_equal(found.kernel.ravel(), kernel.ravel())
            return float(np.sum(found.window * found.kernel) + found.bias)
        case Normalisation():
            assert found.v == trace[found.source][at]
            return (found.v - found.mean) / np.sqrt(
                found.var + found.epsilon
            ) * found.gamma + found.beta
        case Sum():
            assert found.residual == trace[trace.spec.residual][at]
            assert found.shortcut == trace.spec.identity
            assert found.identity == trace[found.shortcut][at]
            return found.residual + found.identity
        case Product():
            assert found.v == trace[found.source][at]
            return found.factor * found.v
        case Copy() if found.source:
            channels = trace[found.source].shape[2]
            layer = trace.spec.layers().get(found.cell.stage)
            is_around = isinstance(layer, PadChannels) and layer.zeros == "around"
            before = (trace[found.cell.stage].shape[2] - channels) // 2 if is_around else 0
            return float(trace[found.source][(*found.at, at[2] - before)])
        case Pooled():
            values = found.window[found.inside]
            assert np.isin(values, trace[found.source][:, :, at[2]]).all()
            return float(values.max() if found.function == "max" else values.mean())
        case AttentionSum():
            return float(np.sum(found.weights * found.values) + found.bias)
        case _:
            return found.value


@pytest.mark.parametrize("use_running_average", [False, True])
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_terms_are_values_of_the_trace_and_give_numpys_value(
    name: str, use_running_average: bool
) -> None:
    spec = RUNNABLE[name]
    trace = trace_block(2, noise(SMALL), 4, variant=spec, use_running_average=use_running_average)
    for stage in trace.spec.sources():
        expected = independent(trace, stage)
        assert expected.shape == trace[stage].shape
        for cell in cells(stage, expected.shape):
            found = explain(trace, cell)
            value = expected[cell.row, cell.col, cell.channel]
            assert found.value == pytest.approx(value, rel=1e-5, abs=1e-5), (stage, cell)
            assert value_of_terms(found, trace) == pytest.approx(value, rel=1e-5, abs=1e-5)


def test_each_type_of_layer_has_its_own_arithmetic() -> None:
    expected: dict[str, dict[str, type]] = {
        "v1": {
            "conv1": WeightedSum,
            "bn1": Normalisation,
            "relu1": Activation,
            "add": Sum,
            "out": Activation,
        },
        "scaled_skip": {"scaled_x": Product, "scaled_f": Product},
        "zero_pad": {"pad": Copy},
        "full_preact": {"out": Copy},
        "pooled": {"pool": Pooled, "out": Pooled},
        "transformer_mlp": {"ln": Normalisation, "dense1": WeightedSum, "gelu": Activation},
        "transformer_attention": {"attention": AttentionSum},
    }
    for name, stages in expected.items():
        trace = trace_block(2, noise(SMALL), 4, variant=RUNNABLE[name])
        for stage, kind in stages.items():
            assert type(explain(trace, Cell(stage, 0, 0, 0))) is kind


def test_the_parts_of_a_convolution(trace: BlockTrace) -> None:
    found = explain(trace, Cell("conv2", 0, 6, 3))
    assert isinstance(found, WeightedSum)
    np.testing.assert_array_equal(
        found.inside, [[False, False, False], [True, True, False], [True, True, False]]
    )
    assert (found.window[~found.inside] == 0).all()
    np.testing.assert_array_equal(found.window[1:, :2], trace["relu1"][0:2, 5:7])
    np.testing.assert_array_equal(found.kernel, trace.model.parameters["conv2"]["kernel"][..., 3])
    np.testing.assert_array_equal(found.products, found.window * found.kernel)
    assert found.contributions.sum() + found.bias == pytest.approx(found.value)
    sizes = np.abs(found.contributions[found.order])
    assert (np.diff(sizes) <= 0).all()
    assert sorted(found.order) == list(range(SHAPE[2]))


def test_the_window_of_a_strided_convolution_lies_where_it_is_on_x() -> None:
    trace = trace_block(2, generate("normal", *SHAPE, seed=1), 5, variant=projection(8, 2))
    found = explain(trace, Cell("conv1", 2, 1, 7))
    assert isinstance(found, WeightedSum)
    np.testing.assert_array_equal(found.window, trace["x"][3:6, 1:4])
    shortcut = explain(trace, Cell("proj", 2, 1, 7))
    assert isinstance(shortcut, WeightedSum)
    np.testing.assert_array_equal(shortcut.window, trace["x"][4:5, 2:3])


def test_the_parts_of_a_norm_depend_on_the_mode(trace: BlockTrace) -> None:
    found = explain(trace, Cell("bn1", 3, 3, 2))
    assert isinstance(found, Normalisation)
    assert found.statistics == ("running" if trace.use_running_average else "batch")
    assert found.mean == trace.norms["bn1"].mean[2]
    if trace.use_running_average:
        assert found.mean == trace.norms["bn1"].mean_before[2]
    else:
        assert found.mean == pytest.approx(trace["conv1"][:, :, 2].mean(), abs=1e-6)


def test_attention_weights_are_a_distribution_over_the_pixels() -> None:
    x = generate("normal", *SHAPE, seed=1)
    trace = trace_block(2, x, 5, variant="transformer_attention")
    found = explain(trace, Cell("attention", 4, 5, 1))
    assert isinstance(found, AttentionSum)
    assert found.weights.shape == SHAPE[:2]
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights > 0).all()
    np.testing.assert_allclose(found.products, found.weights * found.values)


def test_a_cell_is_found_by_its_pixel_of_x() -> None:
    x = generate("normal", *SHAPE, seed=1)
    strided = trace_block(2, x, 5, variant=projection(8, 2))
    assert cell_at(strided, "out", 5, 3, 7) == Cell("out", 2, 1, 7)
    assert cell_at(strided, "x", 5, 3, 7) is None  # x has five channels
    cropped = trace_block(2, x, 5, variant=CROPPED_IDENTITY)
    assert cell_at(cropped, "add", 2, 2, 0) == Cell("add", 0, 0, 0)
    assert cell_at(cropped, "add", 1, 2, 0) is None


@pytest.mark.parametrize("stage", STAGES)
def test_arithmetic_is_of_one_image(stage: str) -> None:
    batch = trace_block(2, np.stack([generate("normal", *SHAPE, seed=n) for n in (1, 2)]), 5)
    with pytest.raises(InputError, match=r"use trace\.image\(n\)"):
        explain(batch, Cell(stage, 0, 0, 0))
    image = batch.image(1)
    found = explain(image, Cell(stage, 3, 4, 2))
    assert found.value == pytest.approx(float(image[stage][3, 4, 2]), abs=4e-6)


@pytest.mark.parametrize(
    "cell",
    [Cell("fc", 0, 0, 0), Cell("x", 9, 0, 0), Cell("x", 0, -1, 0), Cell("x", 0, 0, 5)],
)
def test_a_cell_outside_is_refused(trace: BlockTrace, cell: Cell) -> None:
    with pytest.raises(InputError, match="must"):
        explain(trace, cell)
