from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from explorer import VARIANTS, InputError, trace_block
from explorer.analysis.sum_comparison import cells_in_box, compare_sum
from explorer.figures.sum_comparison import sum_comparison_figure
from explorer.model.variants import FIXES
from tests.helpers import SMALL, noise

X = noise(SMALL)


def test_categories_by_hand() -> None:
    trace = trace_block(0, np.zeros((1, 6, 1)), 1)
    x = np.array([3, -1, 2, -2, 0, 1], np.float32).reshape(1, 6, 1)
    residual = np.array([-1, 4, -5, 1, 0, 0], np.float32).reshape(1, 6, 1)
    stages = {**trace.stages, "x": x, "bn2": residual, "add": x + residual}
    found = compare_sum(replace(trace, stages=MappingProxyType(stages)), 0)
    assert [found.categories[code] for code in found.category[0]] == [
        "stays positive",
        "raised above zero by F",
        "lowered below zero by F",
        "stays zero",
        "stays zero",
        "stays positive",
    ]
    assert found.counts == (2, 1, 1, 2)
    np.testing.assert_allclose(found.identity_part[0], [0.75, 0.2, 2 / 7, 2 / 3, np.nan, 1])


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in FIXES])
def test_categories_agree_with_the_signs_in_every_variant_with_a_sum(name: str) -> None:
    trace = trace_block(0, X, 4, variant=name)
    spec = trace.spec
    if spec.identity is None:
        with pytest.raises(InputError, match="has no sum, so there are no two terms"):
            compare_sum(trace, 1)
        return
    found = compare_sum(trace, 1)
    np.testing.assert_array_equal(found.residual, trace[spec.branch[-1][0]][:, :, 1])
    end_of_shortcut = spec.shortcut[-1][0] if spec.shortcut else "x"
    np.testing.assert_array_equal(found.identity, trace[end_of_shortcut][:, :, 1])
    np.testing.assert_array_equal(found.identity + found.residual, trace["add"][:, :, 1])
    np.testing.assert_array_equal(found.category <= 1, trace["add"][:, :, 1] > 0)
    np.testing.assert_array_equal(found.category % 2 == 0, found.identity > 0)
    assert sum(found.counts) == found.identity.size
    assert found.is_zeroed == (found.categories[-1] == "stays zero")
    if found.is_zeroed:
        np.testing.assert_array_equal(found.category <= 1, trace["out"][:, :, 1] > 0)


def test_a_channel_that_the_sum_lacks_is_refused() -> None:
    wide = trace_block(0, X, 4, variant="transformer_mlp")
    with pytest.raises(
        InputError, match="channel must be from 0 to 3 to compare the terms of the sum, got 7"
    ):
        compare_sum(wide, 7)


def test_cells_in_a_box_of_the_scatter_plot() -> None:
    trace = trace_block(0, X, 4)
    mask = cells_in_box(compare_sum(trace, 2), (0.5, -0.5), (-1, 0))
    for row, col in np.ndindex(8, 6):
        x, residual = trace["x"][row, col, 2], trace["bn2"][row, col, 2]
        assert mask[row, col] == (-0.5 <= x <= 0.5 and -1 <= residual <= 0)


def test_sums_that_are_not_numbers_have_no_category() -> None:
    trace = trace_block(0, np.zeros((1, 4, 1)), 1)
    x = np.array([3, -1, 3e38, np.inf], np.float32).reshape(1, 4, 1)
    residual = np.array([np.nan, np.nan, 3e38, np.inf], np.float32).reshape(1, 4, 1)
    add = np.array([np.nan, np.nan, np.inf, np.inf], np.float32).reshape(1, 4, 1)
    stages = {**trace.stages, "x": x, "bn2": residual, "add": add}
    found = compare_sum(replace(trace, stages=MappingProxyType(stages)), 0)
    assert found.counts == (2, 0, 0, 0)
    np.testing.assert_allclose(found.identity_part[0], [np.nan, np.nan, 0.5, np.nan])
    figure = sum_comparison_figure(found)
    np.testing.assert_array_equal(figure.data[1].z, [[np.nan, np.nan, 0, 0]])
    titles = [note.text for note in figure.layout.annotations]
    assert "stays positive 50%" in titles[1]
    assert titles[1].endswith(" · NaN 50%")
