from dataclasses import replace
from types import MappingProxyType

import numpy as np

from explorer import trace_block
from explorer.analysis.sum_comparison import CATEGORIES, cells_in_box, compare_sum
from explorer.inputs import generate


def test_outcomes_by_hand() -> None:
    trace = trace_block(0, np.zeros((1, 6, 1)), 1)
    x = np.array([3, -1, 2, -2, 0, 1], np.float32).reshape(1, 6, 1)
    residual = np.array([-1, 4, -5, 1, 0, 0], np.float32).reshape(1, 6, 1)
    stages = {**trace.stages, "x": x, "bn2": residual, "add": x + residual}
    found = compare_sum(replace(trace, stages=MappingProxyType(stages)), 0)
    names = [CATEGORIES[code] for code in found.outcome[0]]
    assert names == [
        "passed",
        "lifted by F",
        "pulled below zero by F",
        "kept dead",
        "kept dead",
        "passed",
    ]
    assert found.counts == (2, 1, 1, 2)
    np.testing.assert_allclose(found.identity_part[0], [0.75, 0.2, 2 / 7, 2 / 3, np.nan, 1])


def test_outcomes_agree_with_out() -> None:
    trace = trace_block(0, generate("normal", 20, 20, 3, 0), 3)
    found = compare_sum(trace, 1)
    np.testing.assert_array_equal(found.outcome <= 1, trace["out"][:, :, 1] > 0)
    assert sum(found.counts) == 400


def test_cells_in_a_box_of_the_plane() -> None:
    trace = trace_block(0, generate("normal", 20, 20, 3, 0), 3)
    found = compare_sum(trace, 2)
    mask = cells_in_box(found, (0.5, -0.5), (-1, 0))
    for row, col in np.ndindex(20, 20):
        x, residual = trace["x"][row, col, 2], trace["bn2"][row, col, 2]
        assert mask[row, col] == (-0.5 <= x <= 0.5 and -1 <= residual <= 0)
