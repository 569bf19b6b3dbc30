import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import STAGES, BasicBlock, InputError, resnet_basic_forward
from tests.helpers import SHAPES, noise
from tests.sketch import Sketch


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_equals_the_plain_nnx_sketch_run_eagerly(shape: tuple[int, int, int]) -> None:
    x = noise(shape)
    expected = Sketch(shape[2], nnx.Rngs(7)).run(x)["out"].reshape(-1)
    out = resnet_basic_forward(7, x, shape[2])
    assert out.shape == (x.size,)
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_call_returns_the_last_stage() -> None:
    x = jnp.asarray(noise((4, 5, 2)))
    stages = BasicBlock(2, nnx.Rngs(1)).stages(x, use_running_average=False)
    out = BasicBlock(2, nnx.Rngs(1))(x, use_running_average=False)
    assert tuple(stages) == STAGES
    np.testing.assert_array_equal(out, stages["out"])


def by_hand(
    kernel1: np.ndarray, kernel2: np.ndarray, x: list[list[float]]
) -> dict[str, np.ndarray]:
    """A block of one channel with kernels set by hand, in eval mode and fresh: the
    norms then only divide by √(1 + 1e-5)."""
    block = BasicBlock(1, nnx.Rngs(0))
    block.conv1.kernel[...] = jnp.asarray(kernel1, jnp.float32).reshape(3, 3, 1, 1)
    block.conv2.kernel[...] = jnp.asarray(kernel2, jnp.float32).reshape(3, 3, 1, 1)
    stages = block.stages(jnp.asarray(x, jnp.float32)[:, :, None], use_running_average=True)
    return {name: np.asarray(stage)[:, :, 0] for name, stage in stages.items()}


CENTRE = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_three_by_three_by_hand() -> None:
    x = [[1.0, -2.0, 0.0], [3.0, -1.0, 2.0], [0.0, 1.0, -3.0]]
    stages = by_hand(CENTRE, 2 * CENTRE, x)
    # F(x) = 2·ReLU(x)/1.00001, so out is about 3x where x > 0 and ReLU(x) = 0 elsewhere.
    np.testing.assert_allclose(
        stages["out"], [[3.0, 0.0, 0.0], [9.0, 0.0, 6.0], [0.0, 3.0, 0.0]], rtol=2e-5
    )
    np.testing.assert_allclose(stages["relu1"][0], [0.999995, 0, 0], rtol=1e-6)


def test_same_padding_by_hand() -> None:
    stages = by_hand(np.ones((3, 3)), CENTRE, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    np.testing.assert_allclose(
        stages["conv1"], [[12.0, 21.0, 16.0], [27.0, 45.0, 33.0], [24.0, 39.0, 28.0]]
    )


def test_kernel_is_correlated_not_flipped() -> None:
    left = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])  # looks at the left neighbour
    stages = by_hand(left, CENTRE, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_allclose(stages["conv1"], [[0.0, 1.0, 2.0], [0.0, 4.0, 5.0]])


@pytest.mark.parametrize("seed", [3, 3.0, np.float32(3), np.int64(3), np.array(3)])
@pytest.mark.parametrize("features", [2, 2.0])
def test_whole_numbers_of_any_type_count_as_ints(seed: float, features: float) -> None:
    x = noise((3, 3, 2))
    np.testing.assert_array_equal(
        resnet_basic_forward(seed, x, features), resnet_basic_forward(3, x, 2)
    )


BAD_SEEDS = [0.5, -1, 2**32, float("nan"), float("inf"), -float("inf"), 10**5000, "3", None, [1]]


@pytest.mark.parametrize("seed", BAD_SEEDS, ids=lambda s: str(type(s).__name__))
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed must be an integer from 0 to 4294967295, got"):
        resnet_basic_forward(seed, noise((2, 2, 1)), 1)  # type: ignore[arg-type]


def test_the_largest_seed_works_and_does_not_wrap() -> None:
    x = noise((3, 3, 2))
    assert not np.array_equal(resnet_basic_forward(2**32 - 1, x, 2), resnet_basic_forward(0, x, 2))


@pytest.mark.parametrize("features", [0, -1, 1.5, float("nan"), float("inf"), "2", None])
def test_bad_features_are_refused(features: object) -> None:
    with pytest.raises(InputError, match="features must be an integer of at least 1, got"):
        resnet_basic_forward(0, noise((2, 2, 2)), features)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2)), "3 axes .* got 2 with shape"),
        (np.zeros((1, 1, 2, 2, 1)), "4 axes .* got 5"),
        (np.zeros((0, 2, 1)), "no empty axis"),
        (np.zeros((2, 2, 1), complex), "real numbers, got dtype 'complex128'"),
        (np.array([[["a"]]]), "real numbers"),
        (np.full((1, 1, 1), 1e300), "float32's range"),
        ([[1], [1, 2]], "differ in length"),
        (np.zeros((2, 2, 3)), "x has 3 channels but features is 1: .* 1×1 projection on the skip"),
    ],
)
def test_bad_inputs_are_refused(x: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resnet_basic_forward(0, x, 1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()),
    features=st.one_of(st.floats(max_value=4), st.integers(max_value=4), st.text()),
    shape=st.lists(st.integers(0, 3), max_size=5).map(tuple),
)
def test_any_arguments_give_an_output_or_an_input_error(
    seed: object, features: object, shape: tuple[int, ...]
) -> None:
    x = np.ones(shape, np.float32)
    try:
        out = resnet_basic_forward(seed, x, features)  # type: ignore[arg-type]
    except InputError:
        return
    assert out.shape == (x.size,)
    assert x.ndim in (3, 4)
    assert x.shape[-1] == features
