import numpy as np
import pytest

from explorer import STAGES, BlockTrace, InputError, trace_block
from explorer.analysis.pixel import ConvSum, Normalisation, Pixel, explain
from explorer.inputs import generate

SHAPE = (9, 7, 5)


@pytest.fixture(scope="module", params=["train", "eval"])
def trace(request: pytest.FixtureRequest) -> BlockTrace:
    return trace_block(
        2,
        generate("normal", *SHAPE, seed=1),
        SHAPE[2],
        use_running_average=request.param == "eval",
        warmup_passes=3,
    )


def pixels() -> list[tuple[int, int, int]]:
    """Corners, borders and a few more, in random channels."""
    rng = np.random.default_rng(0)
    places = [(r, c) for r in (0, 4, 8) for c in (0, 3, 6)]
    places += [tuple(rng.integers(0, SHAPE[:2])) for _ in range(20)]
    return [(int(r), int(c), int(rng.integers(SHAPE[2]))) for r, c in places]


@pytest.mark.parametrize("stage", STAGES)
def test_the_sum_equals_the_traced_value(trace: BlockTrace, stage: str) -> None:
    for row, col, channel in pixels():
        found = explain(trace, Pixel(stage, row, col, channel))
        assert found.traced == trace[stage][row, col, channel]
        assert found.value == pytest.approx(found.traced, abs=2e-6)


def test_the_parts_of_a_convolution(trace: BlockTrace) -> None:
    found = explain(trace, Pixel("conv2", 0, 6, 3))
    assert isinstance(found, ConvSum)
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


def test_the_parts_of_a_norm_are_those_of_the_mode_in_force(trace: BlockTrace) -> None:
    found = explain(trace, Pixel("bn1", 3, 3, 2))
    assert isinstance(found, Normalisation)
    assert found.statistics == ("running" if trace.use_running_average else "batch")
    assert found.mean == trace.norms["bn1"].mean[2]
    if trace.use_running_average:
        assert found.mean == trace.norms["bn1"].mean_before[2]
    else:
        assert found.mean == pytest.approx(trace["conv1"][:, :, 2].mean(), abs=1e-6)


@pytest.mark.parametrize(
    "pixel",
    [Pixel("fc", 0, 0, 0), Pixel("x", 9, 0, 0), Pixel("x", 0, -1, 0), Pixel("x", 0, 0, 5)],
)
def test_what_is_not_there_is_refused(trace: BlockTrace, pixel: Pixel) -> None:
    with pytest.raises(InputError, match="must"):
        explain(trace, pixel)
