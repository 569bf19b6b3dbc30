import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs import generate, pad_channels, project_channels, standardise


def test_standardise_gives_mean_0_and_variance_1() -> None:
    x = generate("uniform", 30, 20, 4, 0) * 50 + 1000
    y = standardise(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=(0, 1)), 1, atol=1e-5)


def test_standardise_by_hand() -> None:
    x = np.array([[[1.0], [3.0]]], np.float32)
    np.testing.assert_array_equal(standardise(x)[:, :, 0], [[-1, 1]])


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7])
def test_a_constant_channel_becomes_0(value: float) -> None:
    np.testing.assert_array_equal(standardise(np.full((7, 3, 2), value, np.float32)), 0)


def test_pad_channels_appends_zeros() -> None:
    x = generate("normal", 3, 4, 2, 0)
    y = pad_channels(x, 5)
    np.testing.assert_array_equal(y[:, :, :2], x)
    np.testing.assert_array_equal(y[:, :, 2:], 0)
    with pytest.raises(
        InputError, match="only be added: features is 1 but the input has 2 channels"
    ):
        pad_channels(x, 1)
    with pytest.raises(InputError, match="C from 1 to 512"):
        pad_channels(x, 600)


def test_project_channels_is_one_matrix_for_all_pixels() -> None:
    x = generate("normal", 40, 40, 3, 0)
    y = project_channels(x, 6, seed=1)
    assert y.shape == (40, 40, 6)
    matrix, *_ = np.linalg.lstsq(x.reshape(-1, 3), y.reshape(-1, 6), rcond=None)
    np.testing.assert_allclose(x @ matrix, y, atol=1e-4)
    np.testing.assert_array_equal(y, project_channels(x, 6, seed=1))
    assert not np.array_equal(y, project_channels(x, 6, seed=2))
    assert project_channels(x, 1, seed=0).shape == (40, 40, 1)
