import numpy as np
import pytest

from explorer import VARIANTS, BlockSpec, trace_block
from explorer.analysis.receptive_field import receptive_fields
from explorer.inputs import generate
from explorer.model.layers import ReLU
from explorer.model.variants import CROPPED_IDENTITY, V1, projection


@pytest.mark.parametrize(
    "spec",
    [V1, projection(3, 2), CROPPED_IDENTITY, VARIANTS["bottleneck"], VARIANTS["full_preact"]],
    ids=lambda spec: spec.title,
)
def test_a_receptive_field_is_what_a_change_of_one_pixel_changes(spec: BlockSpec) -> None:
    x = generate("normal", 15, 15, 4, 0)
    changed = x.copy()
    changed[7, 7] += 1
    one, two = (trace_block(0, a, 4, use_running_average=True, variant=spec) for a in (x, changed))
    grids = spec.grids()
    for stage, field in receptive_fields(spec).items():
        rows, cols, _ = np.nonzero(one[stage] != two[stage])
        radius, grid = field.get("x", 0), grids[stage]
        centres = grid.to_x(np.arange(one[stage].shape[0]))
        reached = set(np.flatnonzero(np.abs(centres - 7) <= radius))
        assert set(rows) | set(cols) <= reached, stage
        if not isinstance(spec.layers().get(stage), ReLU):  # which may hide a change
            assert set(rows) == set(cols) == reached, stage


def test_receptive_fields_of_every_stage_before() -> None:
    assert receptive_fields(V1)["conv2"] == {"relu1": 1, "bn1": 1, "conv1": 1, "x": 2}
    halved = receptive_fields(projection(4, 2))
    assert halved["conv2"] == {"relu1": 1, "bn1": 1, "conv1": 1, "x": 3}  # 7×7: 2·1 + 1
    assert halved["add"]["bn_proj"] == 0
