import numpy as np

from explorer.engine.ablation import ablate
from explorer.engine.stack import Stack
from explorer.figures.depth_ablation import ablation_figure
from tests.helpers import SMALL, noise


def test_changes_are_drawn_unchanged() -> None:
    stack = Stack.from_seed(0, 4, 5)
    residual, plain_network = (
        ablate(of, noise(SMALL), kind="swap") for of in (stack, stack.without_shortcut())
    )
    figure = ablation_figure(residual, plain_network, arrangement="narrow")
    drawn = {trace.name: trace for trace in figure.data}
    np.testing.assert_array_equal(drawn["residual"].y, residual.change)
    np.testing.assert_array_equal(drawn["plain"].y, plain_network.change)
    assert list(drawn["plain"].x) == [1, 2, 3, 4]
    assert "by index of the block swapped with the next" in figure.layout.annotations[0].text
