"""Random numbers of one seed are independent for every purpose."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from explorer import trace_block
from explorer.engine.gradients import cotangent_of
from explorer.inputs import generate
from explorer.inputs.channels import project_channels
from explorer.inputs.random_streams import Purpose, random_stream

SHAPE = (32, 32, 8)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("seed", [0, 3, 2**32 - 1])
def test_no_two_purposes_correlate(seed: int) -> None:
    drawn = {purpose: random_stream(seed, purpose).standard_normal(SHAPE) for purpose in Purpose}
    for one, other in combinations(Purpose, 2):
        assert abs(correlation(drawn[one], drawn[other])) < 0.05, (one, other)


def test_two_seeds_do_not_correlate_in_any_two_purposes() -> None:
    for one in Purpose:
        for other in Purpose:
            first = random_stream(1, one).standard_normal(SHAPE)
            assert abs(correlation(first, random_stream(2, other).standard_normal(SHAPE))) < 0.05


def random_cotangent(seed: int) -> np.ndarray:
    """Return a random cotangent of an input without random numbers."""
    trace = trace_block(0, generate("edge", *SHAPE), SHAPE[2])
    return cotangent_of("random", trace, seed=seed)


def projected(seed: int) -> np.ndarray:
    """Return the projection itself, by projecting the identity matrix, in the shape of x."""
    rows = np.eye(32, dtype=np.float32)[:, None]
    return project_channels(rows, 256, seed).reshape(SHAPE)


@pytest.mark.parametrize("other", [random_cotangent, projected])
def test_a_random_input_is_uncorrelated_with_what_else_its_seed_fixes(
    other: Callable[[int], np.ndarray],
) -> None:
    x = generate("normal", *SHAPE, seed=3)
    assert abs(correlation(x, other(3))) < 0.05


def test_a_random_input_is_that_of_its_seed() -> None:
    expected = np.random.default_rng(3).standard_normal((3, 4, 2), dtype=np.float32)
    np.testing.assert_array_equal(generate("normal", 3, 4, 2, seed=3), expected)
