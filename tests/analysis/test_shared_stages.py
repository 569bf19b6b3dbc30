import numpy as np
import pytest

from explorer import trace_block
from explorer.analysis.shared_stages import shared_stages
from explorer.errors import InputError
from tests.helpers import SMALL, noise


def test_stages_up_to_the_change_are_shared() -> None:
    v1 = trace_block(0, noise(SMALL), SMALL[2])
    for variant, expected in {
        "v1": tuple(v1.stages),
        "no_skip": ("x", "conv1", "bn1", "relu1", "conv2", "bn2"),
        "no_bn": ("x", "conv1"),
        "transformer_mlp": ("x",),
    }.items():
        assert shared_stages(v1, trace_block(0, v1["x"], SMALL[2], variant=variant)) == expected


def test_one_differing_cell_and_another_shape_are_changes_and_nan_is_itself() -> None:
    with np.errstate(all="ignore"):
        huge = [trace_block(0, np.full((3, 3, 1), 3e38, np.float32), 1) for _ in range(2)]
    assert np.isnan(huge[0]["out"]).any()
    assert shared_stages(*huge) == tuple(huge[0].stages)
    x = noise(SMALL)
    other = x.copy()
    other[0, 0, -1] = np.nextafter(other[0, 0, -1], np.float32(9))
    assert "x" not in shared_stages(*(trace_block(0, each, SMALL[2]) for each in (x, other)))
    assert shared_stages(*(trace_block(0, each, SMALL[2]) for each in (x, x[1:]))) == ()


def test_other_values_are_refused() -> None:
    with pytest.raises(InputError, match="variant must be a BlockTrace, got 1"):
        shared_stages(trace_block(0, noise(SMALL), SMALL[2]), 1)  # type: ignore[arg-type]
