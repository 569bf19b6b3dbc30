"""Fresh weights for a network of given layers."""

import numpy as np
import pytest
from safetensors.numpy import save

from explorer.engine.checkpoint import load_checkpoint
from explorer.engine.fresh_weights import with_fresh_weights
from explorer.engine.network import Network
from explorer.errors import InputError
from explorer.model.network import NetworkSpec
from explorer.model.variants import VARIANTS
from explorer.model.weight_file import flatten
from tests.checkpoints import Architecture, state_of
from tests.helpers import noise, staged_network

NET = Architecture(blocks=(1, 1), widths=(32, 48), stem="deep", shortcut="pooled")


def loaded() -> Network:
    return load_checkpoint(save(state_of(NET)))


def test_kernels_have_the_variance_of_he_and_the_rest_is_constant() -> None:
    given = loaded()
    fresh = with_fresh_weights(given, 3)
    arrays = fresh.arrays
    assert {name: each.shape for name, each in arrays.items()} == {
        name: each.shape for name, each in given.arrays.items()
    }
    for name, array in arrays.items():
        kind = name.rpartition(".")[2]
        assert array.dtype == np.float32
        assert not array.flags.writeable
        if kind == "kernel":
            fan_in = np.prod(array.shape[:-1])
            gain = 1 if name.startswith("head") else 2
            assert array.mean() == pytest.approx(0, abs=6 / np.sqrt(fan_in * array.size))
            assert array.var() * fan_in / gain == pytest.approx(1, rel=8 / np.sqrt(array.size))
        else:
            assert (array == {"scale": 1, "var": 1, "bias": 0, "mean": 0}[kind]).all()
    trace = fresh.trace(noise((32, 32, 3)))
    assert np.isfinite(trace.logits).all()


def test_the_seed_fixes_the_weights() -> None:
    given = staged_network()
    one, same, other = (with_fresh_weights(given, seed) for seed in (1, 1, 2))
    for name, array in flatten(one.parameters).items():
        np.testing.assert_array_equal(array, flatten(same.parameters)[name])
    assert one.provenance == same.provenance != other.provenance
    assert one.provenance != given.provenance
    kernel = "layer2.0.conv1.kernel"
    assert not np.array_equal(one.arrays[kernel], other.arrays[kernel])
    assert one.models["layer2.0"].provenance != other.models["layer2.0"].provenance


def test_constants_of_the_spec_are_kept() -> None:
    for variant in ("zero_gamma", "full_preact"):
        spec = NetworkSpec(VARIANTS[variant], 2, width=4, channels=1, classes=3)
        fresh = with_fresh_weights(Network.from_seed(0, spec), 1)
        scales = fresh.models["block1"].parameters["bn2"]["scale"]
        assert (scales == (0 if variant == "zero_gamma" else 1)).all()
        assert (fresh.final is None) == (spec.final is None)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None])
def test_an_illegal_seed_is_refused(seed: float) -> None:
    with pytest.raises(InputError, match="seed must be an integer"):
        with_fresh_weights(staged_network(), seed)
