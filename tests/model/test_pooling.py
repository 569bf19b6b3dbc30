import jax.numpy as jnp
import numpy as np
import pytest

from explorer import InputError
from explorer.model.layers import Layer, PadChannels
from explorer.model.pooling import AvgPool, MaxPool
from tests import reference
from tests.helpers import noise

Pooling = MaxPool | AvgPool
SHAPES = [(1, 1, 2), (2, 3, 2), (7, 8, 3), (8, 7, 1)]


def run(layer: Layer, x: np.ndarray) -> np.ndarray:
    return np.asarray(layer.apply(None, jnp.asarray(x), True))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (3, 1), (5, 2), (1, 2)])
def test_the_largest_value_is_that_of_the_oracle(
    shape: tuple[int, int, int], size: int, stride: int
) -> None:
    x = noise(shape) - 5  # padding with zeros would be the largest
    found = run(MaxPool(size, stride), x)
    expected = reference.max_pool(x, size, stride, size // 2)
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_mean_is_that_of_the_pixels_that_exist(shape: tuple[int, int, int], size: int) -> None:
    x = noise(shape) + 5
    found = run(AvgPool(size), x)
    np.testing.assert_allclose(found, reference.average_pool(x, size), rtol=1e-6)


@pytest.mark.parametrize("layer", [MaxPool(), AvgPool(), PadChannels(5, 2, "around")])
def test_a_batch_gives_what_its_images_give(layer: Layer) -> None:
    batch = np.stack([noise((5, 6, 2)), noise((5, 6, 2), 1)])
    found = run(layer, batch)
    for image, expected in zip(batch, found, strict=True):
        np.testing.assert_array_equal(run(layer, image), expected)


@pytest.mark.parametrize(
    "layer", [MaxPool(), MaxPool(5, 3), AvgPool(), AvgPool(3)], ids=lambda layer: layer.label
)
def test_a_row_depends_on_the_rows_that_reach_and_stride_say(layer: Pooling) -> None:
    x = noise((13, 13, 1))
    before = run(layer, x)
    for row in range(13):
        changed = x.copy()
        changed[row] += 100
        rows = np.flatnonzero((run(layer, changed) != before).any((1, 2)))
        assert rows.size or row % layer.stride
        first = rows * layer.stride - layer.reach[0]
        last = rows * layer.stride + layer.reach[1]
        assert ((first <= row) & (row <= last)).all()


def test_zero_channels_stand_around_or_after() -> None:
    x = noise((4, 4, 2))
    around, after = (run(PadChannels(5, 2, zeros), x) for zeros in ("around", "after"))
    np.testing.assert_array_equal(around[:, :, 1:3], x[::2, ::2])
    np.testing.assert_array_equal(after[:, :, :2], x[::2, ::2])
    assert not around[:, :, [0, 3, 4]].any()
    assert not after[:, :, 2:].any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxPool(2), "size must be odd, so that a window has a centre; got 2."),
        (lambda: MaxPool(3, 0), "stride must be an integer of at least 1, got 0."),
        (lambda: AvgPool(0), "size must be an integer of at least 1, got 0."),
        (lambda: PadChannels(2, 1, "left"), "zeros must be one of after, around; got 'left'."),
    ],
)
def test_illegal_arguments_are_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
