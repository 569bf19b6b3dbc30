from dataclasses import replace

import numpy as np
import pytest

from explorer import VARIANTS, BlockSpec, trace_block
from explorer.analysis.receptive_field import receptive_fields
from explorer.inputs import generate
from explorer.model.layers import BatchNorm, Conv, ReLU
from explorer.model.pooling import AvgPool
from explorer.model.variants import CROPPED_IDENTITY, V1, projection

SHORTCUT = ("pool", AvgPool(2)), ("proj", Conv(size=1, out=6)), ("bn_proj", BatchNorm())
POOLED = replace(projection(6, 2), shortcut=SHORTCUT, title="Pooled projection")


@pytest.mark.parametrize(
    "spec",
    [
        POOLED,
        V1,
        projection(3, 2),
        CROPPED_IDENTITY,
        VARIANTS["bottleneck"],
        VARIANTS["full_preact"],
    ],
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
        (before, after), grid = field.get("x", (0, 0)), grids[stage]
        at = grid.to_x(np.arange(one[stage].shape[0]))
        reached = set(np.flatnonzero((at - before <= 7) & (at + after >= 7)))
        assert set(rows) | set(cols) <= reached, stage
        if not isinstance(spec.layers().get(stage), ReLU):  # which may hide a change
            assert set(rows) == set(cols) == reached, stage


def test_receptive_fields_of_every_stage_before() -> None:
    one, two = (1, 1), (2, 2)
    assert receptive_fields(V1)["conv2"] == {"relu1": one, "bn1": one, "conv1": one, "x": two}
    halved = receptive_fields(projection(4, 2))
    # 7×7: 2·1 + 1
    assert halved["conv2"] == {"relu1": one, "bn1": one, "conv1": one, "x": (3, 3)}
    assert halved["add"]["bn_proj"] == (0, 0)


def test_a_pooled_tile_begins_at_its_position() -> None:
    fields = receptive_fields(POOLED)
    assert fields["pool"]["x"] == fields["bn_proj"]["x"] == (0, 1)
    assert fields["out"]["x"] == (3, 3)
