from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError
from explorer.model.network import (
    NETWORK_BATCH_NORM,
    NETWORK_VARIANTS,
    NetworkSpec,
    ResidualNetwork,
    shapes,
    split_parts,
)
from explorer.model.weight_file import flatten
from tests.helpers import noise
from tests.plain_network import PlainNetwork, randomise, weights_of

IMAGES = jnp.asarray(noise((3, 6, 5, 2)))


def spec_of(variant: str, blocks: int = 2, width: int = 4) -> NetworkSpec:
    return NetworkSpec(VARIANTS[variant], blocks, width, channels=2, classes=3)


@pytest.mark.parametrize("in_eval", [True, False])
@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_stages_logits_and_statistics_are_those_of_plain_nnx(variant: str, in_eval: bool) -> None:
    plain, spec = randomise(PlainNetwork(variant)), spec_of(variant)
    parameters, statistics = split_parts(ResidualNetwork(spec, nnx.Rngs(0)))
    arrays = weights_of(plain)
    for name, layer in (parameters | statistics).items():
        for target in (parameters.get(name, {}), statistics.get(name, {})):
            _fill(target, arrays, name)
        assert layer
    network = spec.network(parameters, statistics)
    stages, logits = network.stages(IMAGES, in_eval)
    stem, expected, expected_logits = plain.run(IMAGES, in_eval)
    assert list(stages) == ["block1", "block2"]
    np.testing.assert_array_equal(stages["block1"]["x"], stem)
    for found, block in zip(stages.values(), expected, strict=True):
        assert set(found) == set(block)
        for name, stage in block.items():
            np.testing.assert_allclose(found[name], stage, atol=1e-5)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    own = flatten(split_parts(network)[1])
    running = weights_of(plain)
    assert own
    for name, array in own.items():
        np.testing.assert_allclose(array, running[name], atol=1e-6)
        assert in_eval == np.array_equal(array, arrays[name])


def _fill(target: dict[str, object], arrays: dict[str, np.ndarray], prefix: str) -> None:
    for name, value in target.items():
        if isinstance(value, dict):
            _fill(value, arrays, f"{prefix}.{name}")
        else:
            target[name] = arrays.get(f"{prefix}.{name}", value)  # else a constant


@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_shapes_are_those_of_a_network_that_is_drawn(variant: str) -> None:
    spec = replace(spec_of(variant), block=VARIANTS[variant])
    drawn = split_parts(ResidualNetwork(spec, nnx.Rngs(0)))
    assert jax.tree.map(np.shape, drawn) == jax.tree.map(
        lambda leaf: leaf.shape, shapes(spec.structure())
    )


def test_layers_are_counted_as_papers_count_them() -> None:
    """He et al. 2015, Sec. 4.2: 6n + 2 layers with 3n blocks; the 56 layers are 27 blocks."""
    assert [spec_of("v1", blocks).layers for blocks in (3, 8, 27)] == [8, 18, 56]
    assert spec_of("v1", 54).names[-1] == "block54"
    assert spec_of("v1", 0).names == ()


def test_the_running_statistics_follow_within_tens_of_steps() -> None:
    assert NETWORK_BATCH_NORM.momentum == 0.9
    assert spec_of("v1").batch_norm == NETWORK_BATCH_NORM


@pytest.mark.parametrize(
    ("variant", "expected"), [("v1", False), ("relu_before_add", True), ("full_preact", True)]
)
def test_a_final_norm_stands_where_blocks_end_without_a_relu(variant: str, expected: bool) -> None:
    assert spec_of(variant).has_final_norm is expected
    assert ("final" in shapes(spec_of(variant).structure())[0]) is expected


def test_a_module_of_a_spec_is_the_callers_own() -> None:
    spec = spec_of("v1")
    weights = split_parts(ResidualNetwork(spec, nnx.Rngs(0)))
    one, other = spec.network(*weights), spec.network(*weights)
    one(IMAGES, use_running_average=False)
    assert np.abs(split_parts(one)[1]["stem"]["bn"]["mean"]).max() > 0
    assert np.abs(split_parts(other)[1]["stem"]["bn"]["mean"]).max() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": 55}, "blocks must be an integer from 0 to 54, got 55"),
        ({"blocks": 1.5}, "blocks must be an integer from 0 to 54, got 1.5"),
        ({"width": 3}, "width must be an integer from 4 to 32, got 3"),
        ({"width": 33}, "width must be an integer from 4 to 32, got 33"),
        ({"channels": 5}, "channels must be an integer from 1 to 4, got 5"),
        ({"classes": 1}, "classes must be an integer from 2 to 20, got 1"),
        ({"classes": 21}, "classes must be an integer from 2 to 20, got 21"),
        ({"block": "v1"}, "block must be a BlockSpec, got 'v1'"),
        ({"batch_norm": 0.9}, "batch_norm must be a BatchNormSettings, got 0.9"),
    ],
)
def test_values_outside_the_limits_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(spec_of("v1"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["zero_pad", "valid_padding", "wrong_channels"])
def test_blocks_that_change_the_shape_are_refused(variant: str) -> None:
    with pytest.raises(InputError, match="keep the shape of x"):
        spec_of(variant)
