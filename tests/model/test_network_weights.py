from dataclasses import replace

import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS
from explorer.inputs.random_streams import Purpose, random_stream
from explorer.model.network import NETWORK_VARIANTS, NetworkSpec
from explorer.model.network_weights import Initialiser, draw_network
from explorer.model.weight_file import flatten
from tests.plain_network import PlainBlock

SPEC = NetworkSpec(VARIANTS["v1"], blocks=2, width=4, channels=2, classes=3)
HE = nnx.initializers.he_normal()


def arrays_of(
    variant: str = "v1", seed: int = 3, initialiser: Initialiser = "he", **changes: int
) -> dict[str, np.ndarray]:
    spec = replace(SPEC, block=VARIANTS[variant], **changes)  # type: ignore[arg-type]
    parameters, statistics = draw_network(spec, seed, initialiser)
    return flatten(parameters) | flatten(statistics)


def test_kernels_are_what_nnx_draws_as_he_et_al_with_the_same_keys() -> None:
    found, width = arrays_of(width=8), 8
    seeds = random_stream(3, Purpose.NETWORK).integers(2**32, size=3)
    for number in (1, 2):
        block = PlainBlock("v1", width, nnx.Rngs(int(seeds[number])), kernel_init=HE)
        for name in ("conv1", "conv2"):
            expected = getattr(block, name).kernel[...]
            np.testing.assert_allclose(
                found[f"block{number}.{name}.kernel"], expected, rtol=1e-6, atol=1e-6
            )
    stem = nnx.Conv(2, width, (3, 3), kernel_init=HE, rngs=nnx.Rngs(int(seeds[0])))
    np.testing.assert_allclose(found["stem.conv.kernel"], stem.kernel[...], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("initialiser", "gain"), [("he", 2), ("lecun", 1)])
def test_the_variance_of_kernels_is_the_gain_over_the_fan_in(
    initialiser: Initialiser, gain: int
) -> None:
    """288 · 32 values a kernel; the variance of a sample's variance is about 2 / n."""
    found = arrays_of(initialiser=initialiser, blocks=4, width=32)
    kernels = [v for n, v in found.items() if n.startswith("block") and n.endswith("kernel")]
    values = np.stack(kernels).astype(np.float64)
    assert values.size == 8 * 9 * 32 * 32
    assert values.var() == pytest.approx(gain / (9 * 32), rel=0.02)
    assert abs(values.mean()) < 5 * np.sqrt(gain / (9 * 32) / values.size)


def test_the_initialisers_differ_by_a_factor_in_the_kernels_of_convolutions_alone() -> None:
    he, lecun = arrays_of(), arrays_of(initialiser="lecun")
    for name, array in he.items():
        is_kernel = name.endswith("kernel") and name != "head.kernel"
        factor = np.float32(np.sqrt(2)) if is_kernel else 1
        np.testing.assert_allclose(array, factor * lecun[name], rtol=1e-6, err_msg=name)
    assert he["head.kernel"].any()


def test_biases_norms_and_statistics_start_as_in_nnx() -> None:
    starts = {"bias": 0, "scale": 1, "mean": 0, "var": 1}
    for name, array in arrays_of().items():
        variable = name.rpartition(".")[2]
        if variable != "kernel":
            np.testing.assert_array_equal(array, starts[variable], err_msg=name)


@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_all_variants_share_the_kernels_of_a_seed(variant: str) -> None:
    v1, other = arrays_of(), arrays_of(variant)
    kernels = [name for name in v1 if name.endswith("kernel")]
    assert len(kernels) == 6
    for name in kernels:
        np.testing.assert_array_equal(other[name], v1[name], err_msg=name)


def test_gamma_of_the_last_norm_is_0_and_the_other_is_1_where_asked_for() -> None:
    found = arrays_of("zero_gamma")
    np.testing.assert_array_equal(found["block2.bn2.scale"], 0)
    np.testing.assert_array_equal(found["block2.bn1.scale"], 1)
    assert set(found) == set(arrays_of())


def test_constants_are_those_of_the_variant() -> None:
    found = arrays_of("scaled_skip")
    np.testing.assert_array_equal(found["block2.scaled_f.factor"], np.float32(0.5))


def test_the_first_blocks_of_networks_of_different_depth_are_equal() -> None:
    short, long = arrays_of(blocks=1), arrays_of(blocks=19)
    for name, array in short.items():
        np.testing.assert_array_equal(array, long[name], err_msg=name)


def test_a_seed_gives_its_weights_and_another_seed_others() -> None:
    one, again, other = arrays_of(), arrays_of(), arrays_of(seed=4)
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name])
        assert np.array_equal(array, other[name]) != name.endswith("kernel")
    kernels = [array for name, array in one.items() if name.endswith("kernel")]
    assert len({array.tobytes() for array in kernels}) == len(kernels)


def test_weights_are_read_only() -> None:
    for array in arrays_of(initialiser="lecun").values():
        assert not array.flags.writeable
        assert array.dtype == np.float32


def test_a_network_without_blocks_has_stem_and_head() -> None:
    assert {name.partition(".")[0] for name in arrays_of(blocks=0)} == {"stem", "head"}
