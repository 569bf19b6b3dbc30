import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs.preprocessing import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Preprocessing,
    default_preprocessing,
    preprocess,
)


def test_every_step_by_hand() -> None:
    """A picture of 16×32 becomes 8×16: each pixel is the mean of 2×2; 8 columns are cut out."""
    picture = np.random.default_rng(0).random((16, 32, 2)).astype(np.float32)
    steps = preprocess(picture, Preprocessing(8, 8, (0.5, 0.25), (0.5, 2.0)))
    means = picture.reshape(8, 2, 16, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(steps.resized, means, rtol=1e-5)
    np.testing.assert_array_equal(steps.cropped, steps.resized[:, 4:12])
    np.testing.assert_allclose(steps.normalised[..., 0], (steps.cropped[..., 0] - 0.5) / 0.5)
    np.testing.assert_allclose(steps.normalised[..., 1], (steps.cropped[..., 1] - 0.25) / 2)
    assert steps.normalised.dtype == np.float32


def test_the_crop_is_centred_where_both_sides_are_cut() -> None:
    picture = np.arange(100, dtype=np.float32).reshape(10, 10, 1) / 100
    steps = preprocess(picture, Preprocessing(10, 8, (0.0,), (1.0,)))
    np.testing.assert_array_equal(steps.cropped, picture[1:9, 1:9])


def test_a_grey_picture_gets_the_channels_of_the_network() -> None:
    settings = default_preprocessing(3, is_small=True)
    assert (settings.mean, settings.deviation) == (IMAGENET_MEAN, IMAGENET_DEVIATION)
    steps = preprocess(np.full((40, 50, 1), 0.5, np.float32), settings)
    assert steps.resized.shape == (32, 40, 3)
    assert steps.normalised.shape == (32, 32, 3)
    expected = (0.5 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_DEVIATION)
    np.testing.assert_allclose(steps.normalised[3, 5], expected, rtol=1e-5)
    assert default_preprocessing(1, is_small=False) == Preprocessing(256, 224, (0.0,), (1.0,))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((7, 8, (0.0,), (1.0,)), "resize must be .*8 to 1024.*got 7"),
        ((32, 33, (0.0,), (1.0,)), "crop must be .*8 to 32.*got 33"),
        ((32, 32, (0.0, 0.0), (1.0,)), "one number for each channel"),
        ((32, 32, (0.0,), (0.0,)), "deviation must be above 0"),
        ((32, 32, (float("nan"),), (1.0,)), "mean must be .*nan"),
    ],
)
def test_illegal_settings(
    settings: tuple[int, int, tuple[float], tuple[float]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessing(*settings)


def test_a_strip_is_refused() -> None:
    with pytest.raises(InputError, match="would be resized to 256×102400; the limit is 4096"):
        preprocess(np.zeros((1, 400, 3), np.float32), default_preprocessing(3, is_small=False))
