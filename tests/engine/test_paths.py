"""Gradients along single paths against the whole gradient of plain NNX."""

from itertools import product
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError
from explorer.engine.paths import path_gradients, path_lengths
from explorer.engine.stack import Stack
from explorer.model.spec_block import SpecBlock
from tests.helpers import noise
from tests.stacks import SEED, SHAPE, X


@pytest.mark.parametrize("variant", ["v1", "full_preact", "projection"])
def test_the_gradients_of_all_paths_add_up_to_the_whole(variant: str) -> None:
    depth = 4
    cotangent = noise(SHAPE, 3)
    through = np.array(list(product([False, True], repeat=depth))).T
    stack = Stack.from_seed(SEED, 4, depth, variant)
    found = path_gradients(stack, X, cotangent, through)

    def end(x: jax.Array) -> jax.Array:
        for block in range(depth):
            made = SpecBlock(VARIANTS[variant], 4, nnx.Rngs(SEED + block))
            x = made(x, use_running_average=False)
        return jnp.vdot(cotangent, x)

    whole = np.asarray(jax.grad(end)(jnp.asarray(X)))
    np.testing.assert_allclose(found.sum(axis=0), whole, atol=1e-4 * np.abs(whole).max())
    if variant == "full_preact":  # nothing lies on the identity's path
        np.testing.assert_array_equal(found[0], cotangent)


def test_path_lengths() -> None:
    found = path_lengths(Stack.from_seed(SEED, 4, 12), X, samples=5)
    np.testing.assert_array_equal(found.lengths, np.arange(13))
    np.testing.assert_allclose(found.paths, [comb(12, k) / 2**12 for k in range(13)])
    assert found.error[0] == pytest.approx(0, abs=1e-6)  # there is one path of length 0 and 12
    assert found.error[12] == pytest.approx(0, abs=1e-6)
    assert (found.error[1:12] > 0).all()
    long = path_lengths(Stack.from_seed(SEED, 4, 100), X, samples=2)
    assert long.lengths.size == 33
    assert long.lengths[[0, -1]].tolist() == [0, 100]
    assert long.paths.size == 101
    assert long.paths[50] == pytest.approx(comb(100, 50) / 2**100)


def test_a_stack_without_shortcuts_has_one_path_and_is_refused() -> None:
    with pytest.raises(InputError, match="Paths need a shortcut, and “No skip” has none"):
        path_lengths(Stack.from_seed(0, 4, 4, "no_skip"), X)
