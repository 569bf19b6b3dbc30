"""The plain function against the plain NNX block, with everything that NNX takes and refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import InputError, resnet_basic_forward
from tests.helpers import SHAPES, noise
from tests.sketch import Sketch

ROOT = Path(__file__).parents[2]
SHAPE = (5, 4, 2)
X = noise(SHAPE)


def plain(seed: int, x: Any, features: int) -> jax.Array:
    return Sketch(features, nnx.Rngs(seed)).run(jnp.asarray(x))["out"].reshape(-1)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_plain_block(shape: tuple[int, int, int]) -> None:
    out = resnet_basic_forward(7, noise(shape), shape[2])
    assert out.shape == (shape[0] * shape[1] * shape[2],)
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out, plain(7, noise(shape), shape[2]), atol=1e-5)


@pytest.mark.parametrize(
    ("seed", "features"),
    [(3.7, 2), (True, 2), (-1, 2), (2**32 - 1, 2), (np.array(3), 2.9), (np.float32(3), "2")],
)
def test_seed_and_features_are_what_int_makes_of_them(seed: Any, features: Any) -> None:
    expected = plain(int(seed), X, 2)
    np.testing.assert_allclose(resnet_basic_forward(seed, X, features), expected, atol=1e-5)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "float32", "float64"]
)
def test_types_are_those_of_nnx(dtype: str) -> None:
    x = np.asarray(jnp.asarray(3 * X, dtype)) if dtype == "bfloat16" else (3 * X).astype(dtype)
    out, expected = resnet_basic_forward(1, x, 2), plain(1, x, 2)
    assert out.dtype == expected.dtype
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_types_are_those_of_nnx_in_double_precision() -> None:
    script = (
        "import json, sys, jax, numpy as np\n"
        "jax.config.update('jax_enable_x64', True)\n"
        "from flax import nnx\n"
        "from explorer import resnet_basic_forward\n"
        "from tests.sketch import Sketch\n"
        "x = np.random.default_rng(0).standard_normal((5, 4, 2))\n"
        "for dtype in (np.float32, np.float64):\n"
        "    out = resnet_basic_forward(1, x.astype(dtype), 2)\n"
        "    plain = Sketch(2, nnx.Rngs(1)).run(x.astype(dtype))['out'].reshape(-1)\n"
        "    print(json.dumps([str(out.dtype), str(plain.dtype), float(abs(out - plain).max())]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each[:2] for each in found] == [["float32"] * 2, ["float64"] * 2]
    assert max(each[2] for each in found) < 1e-5


def test_it_works_under_transformations() -> None:
    batch = jnp.asarray(np.stack([X, 2 * X, noise(SHAPE, 3)]))
    weights = noise((X.size,), 4)

    def forward(x: jax.Array) -> jax.Array:
        return resnet_basic_forward(1, x, 2)

    np.testing.assert_allclose(jax.jit(forward)(X), plain(1, X, 2), atol=1e-5)
    expected = np.stack([plain(1, x, 2) for x in batch])
    np.testing.assert_allclose(jax.vmap(forward)(batch), expected, atol=1e-5)
    found = jax.grad(lambda x: weights @ forward(x))(jnp.asarray(X))
    gradient = jax.grad(lambda x: weights @ plain(1, x, 2))(jnp.asarray(X))
    np.testing.assert_allclose(found, gradient, atol=1e-5)
    shape = jax.eval_shape(forward, jnp.asarray(X))
    assert (shape.shape, shape.dtype) == ((X.size,), jnp.float32)


def test_it_changes_nothing_that_is_kept() -> None:
    first = resnet_basic_forward(1, X, 2)
    resnet_basic_forward(1, 100 * X, 2)
    np.testing.assert_array_equal(first, resnet_basic_forward(1, X, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((float("nan"), X, 2), "seed must be a finite number, got nan."),
        ((float("inf"), X, 2), "seed must be a finite number, got inf."),
        ((None, X, 2), "seed must be a finite number, got None."),
        ((10**5000, X, 2), "seed must fit into 64 bits, got an integer of 16610 bits."),
        ((0, X, 0.9), "features must be at least 1, got 0.9."),
        ((0, X, -1), "features must be at least 1, got -1."),
        ((0, X, float("inf")), "features must be a finite number, got inf."),
        ((0, X, 3), "x has 2 channels but features is 3: .*"),
        ((0, X.T, 2), r"x has shape \(2, 4, 5\), .* pass x.transpose\(1, 2, 0\)."),
        ((0, X[0], 2), r"x must have 3 axes \(H, W, C\), got 2 with shape .*"),
        ((0, X[None], 2), r"x must have 3 axes .* pass one image, or a batch to trace_block."),
        ((0, X[:0], 2), "x must have no empty axis, .*"),
        ((0, X.astype(complex), 2), "x must hold real numbers, got dtype 'complex128'; .*"),
        ((0, [[1], [1, 2]], 2), "x must be a number or one array of numbers .*"),
        ((0, "picture", 2), "x must hold real numbers, got dtype .*"),
    ],
)
def test_what_the_block_cannot_run_is_refused_in_one_sentence(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$") as caught:
        resnet_basic_forward(*arguments)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()),
    features=st.one_of(st.floats(max_value=4), st.integers(max_value=4), st.text()),
    shape=st.lists(st.integers(0, 3), max_size=5).map(tuple),
)
def test_any_arguments_give_an_output_or_an_input_error(
    seed: Any, features: Any, shape: tuple[int, ...]
) -> None:
    x = np.ones(shape, np.float32)
    try:
        out = resnet_basic_forward(seed, x, features)
    except InputError:
        return
    assert out.shape == (x.size,)
