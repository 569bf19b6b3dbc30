import jax
import numpy as np
import pytest

from explorer.engine import stage_program
from explorer.engine.stage_program import WIDE, run_model, run_stages
from explorer.model.weights import Model


def run_by_default(model: Model, x: np.ndarray, in_eval: bool) -> dict[str, jax.Array]:
    """Return the stages of the program that XLA compiles without options."""
    return run_stages(model.structure, model.parameters, model.statistics, x, in_eval)[0]


def picture(features: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((9, 7, features), np.float32)


@pytest.mark.parametrize(("features", "in_eval"), [(WIDE, False), (4, True), (4, False)])
def test_narrow_blocks_and_train_mode_keep_the_bits(features: int, in_eval: bool) -> None:
    model, x = Model.from_seed(3, features), picture(features)
    found = run_model(model, model.statistics, x, in_eval)[0]
    for name, expected in run_by_default(model, x, in_eval).items():
        np.testing.assert_array_equal(found[name], expected)


def test_a_wide_block_in_eval_mode_agrees_with_the_default_program() -> None:
    model, x = Model.from_seed(3, WIDE), picture(WIDE)
    found = run_model(model, model.statistics, x, True)[0]
    for name, expected in run_by_default(model, x, True).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", ["v1", "bottleneck"])
def test_its_convolutions_are_not_those_of_one_thread(variant: str) -> None:
    model, x = Model.from_seed(3, WIDE, variant), picture(WIDE)
    compiled = stage_program._run_wide.lower(
        model.structure, model.parameters, model.statistics, x, True
    ).compile()
    text = compiled.as_text() or ""
    count = sum(name.startswith("conv") for name in model.spec.layers())
    # One of 1×1 becomes a product of matrices.
    assert text.count(" convolution(") + text.count(" dot(") == count
