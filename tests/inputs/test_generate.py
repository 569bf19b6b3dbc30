from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import InputError
from explorer.inputs import GENERATORS, generate


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (33, 20)])
def test_every_generator_returns_the_requested_shape(name: str, size: tuple[int, int]) -> None:
    channels = GENERATORS[name].channels or 5
    x = generate(name, *size, channels, seed=3)
    assert x.shape == (*size, channels)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_the_seed_fixes_the_random_numbers_and_nothing_else(name: str) -> None:
    channels = GENERATORS[name].channels or 2
    first, same, other = (generate(name, 16, 16, channels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert np.array_equal(first, other) != GENERATORS[name].seeded


def test_whole_numbers_of_any_type_are_accepted() -> None:
    np.testing.assert_array_equal(generate("normal", 8, 8, 2, 3.0), generate("normal", 8, 8, 2, 3))


def test_noise_has_its_moments() -> None:
    normal, uniform = generate("normal", 256, 256, 4, 0), generate("uniform", 256, 256, 4, 0)
    assert abs(normal.mean()) < 0.01
    assert abs(normal.std() - 1) < 0.01
    assert 0 <= uniform.min() < uniform.max() <= 1
    assert abs(uniform.mean() - 0.5) < 0.01


def test_patterns_by_hand() -> None:
    impulse = generate("impulse", 3, 4, 2)
    assert impulse.sum() == 2
    assert (impulse[1, 2] == 1).all()
    np.testing.assert_array_equal(generate("edge", 1, 4, 1)[0, :, 0], [-1, -1, 1, 1])
    np.testing.assert_allclose(generate("gradient", 1, 5, 1)[0, :, 0], [-1, -0.5, 0, 0.5, 1])
    board = generate("checkerboard", 2, 4, 2)
    np.testing.assert_array_equal(board[:, :, 0], [[1, -1, 1, -1], [-1, 1, -1, 1]])
    np.testing.assert_array_equal(board[:, :, 1], [[1, 1, -1, -1], [1, 1, -1, -1]])
    rings = generate("zone_plate", 5, 5, 1)[:, :, 0]
    assert rings[2, 2] == 1
    np.testing.assert_allclose(rings[2, 4], np.cos(np.pi * 4 / 10), atol=1e-6)
    np.testing.assert_allclose(rings, rings.T)


def test_samples_are_pictures() -> None:
    for name in ("landscape", "cells", "digit"):
        x = generate(name, 40, 60, GENERATORS[name].channels or 1, 0)
        assert x.min() >= 0
        assert x.max() <= 1
        assert x.std() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plaid", 2, 2, 1), "name must be one of landscape, .*; got 'plaid'"),
        (("normal", 0, 2, 1), "height must be an integer of at least 1, got 0."),
        (("edge", 8.5, 8, 2), "height must be an integer of at least 1, got 8.5."),
        (("edge", 8, "8", 2), "width must be an integer of at least 1, got '8'."),
        ((["edge"], 8, 8, 2), "name must be one of"),
        (("normal", 8, 8, 2, -1), "seed must be an integer from 0 to 4294967295, got -1."),
        (("normal", 2049, 2, 1), "H and W from 1 to 2048"),
        (("normal", 2, 2, 513), "C from 1 to 512"),
        (("normal", 2048, 2048, 3), "the limit is 8,388,608"),
        (("digit", 2, 2, 3), "channels must be 1 for digit, got 3"),
    ],
)
def test_illegal_arguments_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        generate(*arguments)


@settings(max_examples=50, deadline=None)
@given(name=st.sampled_from(list(GENERATORS)), height=st.integers(1, 40), width=st.integers(1, 40))
def test_any_size_is_generated(name: str, height: int, width: int) -> None:
    channels = GENERATORS[name].channels or 3
    assert generate(name, height, width, channels).shape == (height, width, channels)
