import numpy as np
import pytest

from explorer import InputError, Model
from explorer.engine.propagation import propagate_stack
from explorer.engine.stack import MAX_WEIGHTS, Stack
from explorer.model.weights import FromSeed
from tests.stacks import SEED, X


def test_a_block_has_the_weights_of_its_seed() -> None:
    stack = Stack.from_seed(SEED, 4, 18, "full_preact", runs=2)
    assert (stack.depth, stack.runs) == (18, 2)
    for block, run in ((0, 0), (17, 0), (3, 1)):
        model, expected = (
            stack.model(block, run),
            Model.from_seed(SEED + 1000 * run + block, 4, "full_preact"),
        )
        assert model.key == expected.key
        for layer, variables in expected.parameters.items():
            for name, value in variables.items():
                np.testing.assert_array_equal(model.parameters[layer][name], value)


def test_seeds_wrap_around() -> None:
    stack = Stack.from_seed(2**32 - 1, 4, 3)
    assert stack.seeds == (2**32 - 1, 0, 1)
    assert stack.model(1).provenance == FromSeed(0)


def test_a_stack_of_models_is_the_stack_of_their_seeds() -> None:
    models = [Model.from_seed(SEED + block, 4) for block in range(5)]
    one, other = Stack.from_models(models), Stack.from_seed(SEED, 4, 5)
    for name, curve in propagate_stack(other, X).curves.items():
        np.testing.assert_array_equal(propagate_stack(one, X).curves[name], curve)
    with pytest.raises(InputError, match="models must have one structure to be stacked, got 2"):
        Stack.from_models([*models, Model.from_seed(0, 4, "no_skip")])


def test_the_plain_stack_shares_the_weights() -> None:
    stack = Stack.from_seed(SEED, 4, 5, "projection")
    without_shortcut = stack.without_shortcut()
    assert without_shortcut.spec.shortcut is None
    assert "proj" not in without_shortcut.parameters
    assert without_shortcut.parameters["conv1"] is stack.parameters["conv1"]


def test_too_many_weights_are_refused_before_they_are_drawn() -> None:
    with pytest.raises(InputError, match=f"the limit is {MAX_WEIGHTS:,}. Choose fewer features"):
        Stack.from_seed(0, 512, 128)
