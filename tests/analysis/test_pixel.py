import numpy as np
import pytest

from explorer import STAGES, VARIANTS, BlockSpec, BlockTrace, InputError, trace_block
from explorer.analysis.pixel import (
    Activation,
    AttentionSum,
    Cell,
    Copy,
    Normalisation,
    Product,
    Sum,
    WeightedSum,
    cell_at,
    explain,
)
from explorer.inputs import generate
from explorer.model.variants import (
    CROPPED_IDENTITY,
    FIXES,
    PROJECTED_IDENTITY,
    projection,
    zero_pad,
)
from tests.helpers import SMALL, noise

SHAPE = (9, 7, 5)
RUNNABLE: dict[str, BlockSpec] = {
    **{name: spec for name, spec in VARIANTS.items() if name not in FIXES},
    "cropped": CROPPED_IDENTITY,
    "projected": PROJECTED_IDENTITY,
    "projection, stride 2": projection(8, 2),
    "zero channels, stride 2": zero_pad(8, 2),
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
        "transformer_mlp": {"ln": Normalisation, "dense1": WeightedSum, "gelu": Activation},
        "transformer_attention": {"attention": AttentionSum},
    }
    for name, stages in expected.items():
        trace = trace_block(2, noise(SMALL), 4, variant=name)
        for stage, kind in stages.items():
            assert type(explain(trace, Cell(stage, 1, 2, 0))) is kind


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
