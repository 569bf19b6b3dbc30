"""A trained block as another variant: which weights it keeps."""

import numpy as np
import pytest

from explorer.engine.forward import trace_model
from explorer.model.variants import VARIANTS, scaled_skip
from explorer.model.weights import Model
from tests.short_runs import pictures, short_run


def block(variant: str) -> Model:
    return short_run(variant).network.models["block1"]


def test_the_same_layers_keep_the_trained_weights() -> None:
    trained = block("v1")
    found = trained.as_variant(VARIANTS["no_skip"])
    for layer, variables in trained.parameters.items():
        for variable, array in variables.items():
            np.testing.assert_array_equal(found.parameters[layer][variable], array)
    for layer, variables in trained.statistics.items():
        for variable, array in variables.items():
            np.testing.assert_array_equal(found.statistics[layer][variable], array)
    x = np.asarray(short_run().network.trace(pictures().test_images[0])["block1"]["x"])
    both = [trace_model(model, x, use_running_average=True) for model in (trained, found)]
    np.testing.assert_array_equal(both[0]["bn2"], both[1]["bn2"])


def test_constants_that_the_variant_sets_are_its_own() -> None:
    found = block("v1").as_variant(VARIANTS["zero_gamma"])
    assert not found.parameters["bn2"]["scale"].any()
    factors = block("scaled_skip").as_variant(scaled_skip(0.25)).parameters
    assert factors["scaled_f"]["factor"] == np.float32(0.25)
    assert factors["scaled_x"]["factor"] == np.float32(0.25)


def test_a_trained_gamma_that_started_at_0_stays() -> None:
    trained = block("zero_gamma")
    assert trained.parameters["bn2"]["scale"].any()
    found = trained.as_variant(VARIANTS["v1"])
    np.testing.assert_array_equal(
        found.parameters["bn2"]["scale"], trained.parameters["bn2"]["scale"]
    )


def test_layers_of_another_shape_are_fresh() -> None:
    found, fresh = (
        block("v1").as_variant(VARIANTS["bottleneck"], 3),
        Model.from_seed(3, 4, "bottleneck"),
    )
    kernel = fresh.parameters["conv1"]["kernel"]
    assert kernel.shape != block("v1").parameters["conv1"]["kernel"].shape
    np.testing.assert_array_equal(found.parameters["conv1"]["kernel"], kernel)


@pytest.mark.parametrize("variant", ["no_skip", "zero_gamma", "bottleneck"])
def test_other_weights_have_another_provenance(variant: str) -> None:
    keys = {block(name).as_variant(VARIANTS[variant]).key for name in ("v1", "relu_before_add")}
    assert len(keys | {block("v1").key}) == 3
