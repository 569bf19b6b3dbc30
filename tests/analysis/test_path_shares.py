"""Shares of path lengths against sums over all lengths."""

from math import comb

import numpy as np
import pytest

from explorer.analysis.path_shares import path_shares
from explorer.records import PathRecord


def record(depth: int, lengths: np.ndarray, norm: np.ndarray) -> PathRecord:
    paths = np.array([comb(depth, k) / 2**depth for k in range(depth + 1)])
    return PathRecord(depth, lengths, paths, norm, np.zeros_like(norm))


def test_by_hand() -> None:
    """Through two blocks: one path of length 0, two of length 1, one of length 2."""
    shares = path_shares(record(2, np.arange(3), np.array([1.0, 3.0, 5.0])))
    np.testing.assert_allclose(shares, [1 / 12, 6 / 12, 5 / 12])


@pytest.mark.parametrize("depth", [12, 64, 128])
def test_shares_do_not_depend_on_how_many_lengths_are_sampled(depth: int) -> None:
    """Norms that grow by a factor for each block: (1 + factor)ⁿ in all, the binomial theorem."""
    factor = 0.7
    expected = [comb(depth, k) * factor**k / (1 + factor) ** depth for k in range(depth + 1)]
    lengths = np.unique(np.linspace(0, depth, min(depth + 1, 33)).round().astype(int))
    found = path_shares(record(depth, lengths, factor**lengths))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-30)


def test_norms_that_underflow_do_not_change_the_others() -> None:
    lengths = np.arange(0, 129, 4)
    norm = 0.3**lengths
    expected = path_shares(record(128, lengths, norm))
    found = path_shares(record(128, lengths, np.where(lengths > 100, 0, norm)))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("norm", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
def test_norms_of_zero(norm: list[float]) -> None:
    shares = path_shares(record(4, np.array([0, 2, 4]), np.array(norm)))
    assert shares.sum() == pytest.approx(float(any(norm)))
    assert np.isfinite(shares).all()
