"""Arguments of a block: whole numbers, and arrays of real numbers with the block's channels."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from explorer import InputError, trace_block
from tests.helpers import noise


@pytest.mark.parametrize("seed", [3, 3.0, np.float32(3), np.int64(3), np.array(3)])
@pytest.mark.parametrize("features", [2, 2.0])
def test_whole_numbers_of_any_type_count_as_ints(seed: float, features: float) -> None:
    x = noise((3, 3, 2))
    np.testing.assert_array_equal(
        trace_block(seed, x, features)["out"], trace_block(3, x, 2)["out"]
    )


NOT_FINITE = [float("nan"), float("inf"), -float("inf")]
BAD_SEEDS: list[Any] = [0.5, -1, 2**32, *NOT_FINITE, 10**5000, "3", None, [1]]


@pytest.mark.parametrize("seed", BAD_SEEDS, ids=lambda s: str(type(s).__name__))
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed must be an integer from 0 to 4294967295, got"):
        trace_block(seed, noise((2, 2, 1)), 1)  # type: ignore[arg-type]


def test_the_largest_seed_works_and_does_not_wrap() -> None:
    x = noise((3, 3, 2))
    largest, first = (trace_block(seed, x, 2)["out"] for seed in (2**32 - 1, 0))
    assert not np.array_equal(largest, first)


@pytest.mark.parametrize("features", [0, -1, 1.5, float("nan"), float("inf"), "2", None])
def test_bad_features_are_refused(features: object) -> None:
    with pytest.raises(InputError, match="features must be an integer of at least 1, got"):
        trace_block(0, noise((2, 2, 2)), features)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2)), r"3 axes .* got 2 with shape .* pass x\[\.\.\., None\]"),
        (np.zeros((1, 1, 2, 2, 1)), r"4 axes .* got 5 .* for instance x\[0\]"),
        (np.zeros((0, 2, 1)), "no empty axis"),
        (np.zeros((2, 2, 1), complex), "real numbers, got dtype 'complex128'"),
        (np.array([[["a"]]]), "real numbers"),
        (np.full((1, 1, 1), 1e300), "float32's range"),
        ([[1], [1, 2]], "rows of equal length"),
        (np.zeros(784), r"got 1 with shape \(784,\); .* x.reshape\(H, W, C\)"),
        (np.zeros((1, 8, 8)), r"its channels come first, pass x.transpose\(1, 2, 0\)"),
        (np.zeros((2, 1, 8, 8)), r"its channels come first, pass x.transpose\(0, 2, 3, 1\)"),
        (np.ma.masked_equal(np.ones((2, 2, 1)), 1), r"masked values, .* x.filled\(0\)"),
        (np.zeros((2, 2, 3)), "x has 3 channels but features is 1: .* 1×1 projection on the skip"),
    ],
)
def test_bad_inputs_are_refused(x: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        trace_block(0, x, 1)


class Unreadable:
    """An array of another library that cannot be converted, such as one on an accelerator."""

    dtype, shape = np.dtype(np.float32), (2, 2, 1)

    def __array__(self, *arguments: Any, **keywords: Any) -> np.ndarray:
        raise RuntimeError("cannot convert\na tensor of this device")

    def __repr__(self) -> str:
        raise RuntimeError("cannot print it either")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": jax.random.key(0)}, "seed must be an integer from 0 to 4294967295, got .*"),
        ({"seed": np.random.SeedSequence(3)}, "seed must be an integer .* got SeedSequence.*"),
        ({"seed": Unreadable()}, "seed must be .* got an object of type Unreadable."),
        ({"features": jax.random.key(0)}, "features must be an integer of at least 1, got .*"),
        ({"x": Unreadable()}, "x must be .* array of numbers .* of type Unreadable."),
        ({"variant": ["v1"]}, r"variant must be one of v1, .*; got \['v1'\]."),
        ({"variant": None}, "variant must be one of v1, .*; got None."),
        ({"use_running_average": "False"}, "use_running_average must be True or False, got .*"),
        ({"use_running_average": 2}, "use_running_average must be True or False, got 2."),
        ({"warmup_passes": np.array([1])}, "warmup_passes must be an integer .*"),
    ],
)
def test_foreign_objects_are_refused_in_one_sentence(
    arguments: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {"seed": 0, "x": noise((2, 2, 1)), "features": 1} | arguments
    with pytest.raises(InputError, match=f"^{message}$") as caught:
        trace_block(**given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_floats_are_accepted(dtype: str) -> None:
    x = jnp.asarray(noise((3, 3, 2)), dtype)
    expected = trace_block(0, np.asarray(x, np.float32), 2)["out"]
    np.testing.assert_array_equal(trace_block(0, x, 2)["out"], expected)
    np.testing.assert_array_equal(trace_block(0, np.asarray(x), 2)["out"], expected)
