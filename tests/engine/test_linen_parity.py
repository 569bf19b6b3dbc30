from dataclasses import replace

import numpy as np
import pytest

from explorer import InputError, trace_block
from explorer.engine.linen_parity import linen_parity
from tests.helpers import noise


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (32, 32, 8)])
@pytest.mark.parametrize(("use_running_average", "passes"), [(False, 0), (True, 0), (True, 30)])
def test_linen_and_nnx_agree(
    shape: tuple[int, int, int], use_running_average: bool, passes: int
) -> None:
    trace = trace_block(
        5,
        noise(shape, 2),
        shape[2],
        use_running_average=use_running_average,
        warmup_passes=passes,
    )
    twin = linen_parity(trace)
    np.testing.assert_allclose(twin.out, trace["out"], atol=1e-5)
    for name, norm in trace.norms.items():
        np.testing.assert_allclose(twin.statistics[name]["mean"], norm.mean_after, atol=1e-5)
        np.testing.assert_allclose(twin.statistics[name]["var"], norm.var_after, atol=1e-5)
    assert set(twin.differences) == {"out", "bn1.mean", "bn1.var", "bn2.mean", "bn2.var"}
    assert max(twin.differences.values()) <= 1e-5


def test_linen_really_runs_and_a_difference_is_told() -> None:
    trace = trace_block(5, noise((7, 5, 3), 2), 3)
    kernels = {**trace.kernels, "conv2": trace.model.parameters["conv2"]["kernel"] * 2}
    twin = linen_parity(replace(trace, kernels=kernels))
    np.testing.assert_allclose(twin.statistics["bn1"]["var"], trace.norms["bn1"].var_after)
    expected = 0.01 * np.abs(trace.norms["bn2"].batch_var * 3).max()
    assert twin.differences["bn2.var"] == pytest.approx(expected, rel=1e-3)


def test_the_twin_is_of_the_basic_block_alone() -> None:
    trace = trace_block(0, noise((4, 4, 2), 0), 2, variant="no_skip")
    with pytest.raises(InputError, match="the trace is of “No skip”"):
        linen_parity(trace)
