from dataclasses import replace

import numpy as np
import pytest

from explorer.engine.paths import path_lengths
from explorer.engine.stack import Stack
from explorer.figures.depth_paths import paths_figure
from tests.helpers import SMALL, noise


def test_gradients_along_paths_are_drawn_unchanged() -> None:
    found = path_lengths(Stack.from_seed(0, 4, 6), noise(SMALL), samples=4)
    figure = paths_figure(found, arrangement="narrow")
    drawn = {trace.name: trace for trace in figure.data}
    np.testing.assert_array_equal(drawn["one path"].y, found.norm)
    np.testing.assert_array_equal(drawn["one path"].error_y.array, found.error)
    np.testing.assert_array_equal(drawn["paths"].y, found.paths)
    assert sum(drawn["all paths of a length"].y) == pytest.approx(1)
    wide = replace(found, norm=np.geomspace(1, 1e4, found.lengths.size))
    assert paths_figure(wide).layout.yaxis2.type == "log"
    assert paths_figure(wide).layout.yaxis3.type is None
