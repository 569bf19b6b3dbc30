import numpy as np
import pytest

from explorer import STAGES, trace_block
from explorer.analysis.distributions import distribution
from explorer.inputs import generate

TRACE = trace_block(2, generate("normal", 16, 16, 3, 0), 3)


@pytest.mark.parametrize("stage", STAGES)
def test_a_distribution_counts_every_cell_once(stage: str) -> None:
    found = distribution(TRACE, stage)
    assert found.counts.sum() + round(found.zeroed * 768) == 768
    assert found.mean == pytest.approx(float(TRACE[stage].mean()), abs=1e-6)
    assert found.std == pytest.approx(float(TRACE[stage].std()), abs=1e-6)


def test_only_relus_zero() -> None:
    zeroed = {stage: distribution(TRACE, stage).zeroed for stage in STAGES}
    assert zeroed["out"] == (TRACE["add"] < 0).mean()
    assert zeroed["relu1"] == (TRACE["bn1"] < 0).mean()
    assert sum(zeroed.values()) == zeroed["out"] + zeroed["relu1"]


def test_values_that_are_not_finite_are_left_out() -> None:
    with np.errstate(all="ignore"):
        trace = trace_block(0, np.full((3, 3, 1), 3e38, np.float32), 1)
    found = {stage: distribution(trace, stage) for stage in STAGES}
    assert all(np.isfinite(each.counts).all() for each in found.values())
    assert np.isnan([found["out"].zeroed, found["out"].mean, found["relu1"].zeroed]).all()
    assert found["bn1"].zeroed == 0  # it is not a ReLU


def test_the_relus_of_a_variant_are_those_of_its_spec() -> None:
    trace = trace_block(2, generate("normal", 16, 16, 3, 0), 3, variant="full_preact")
    zeroed = {stage: distribution(trace, stage).zeroed for stage in trace.stages}
    assert zeroed["relu1"] == (trace["bn1"] < 0).mean()
    assert zeroed["relu2"] == (trace["bn2"] < 0).mean()
    assert zeroed["out"] == 0  # nothing follows the sum
