import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from explorer.data import Dataset, dataset_from_arrays
from explorer.errors import InputError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@pytest.fixture
def data() -> Dataset:
    """Two classes of constant pictures: 0 and 2 in the first, 10 and 12 in the second."""
    values = np.array([0, 2] * 5 + [10, 12] * 5)
    return dataset_from_arrays(np.tile(values[:, None, None], (1, 2, 3)), np.repeat([3, 7], 10))


def test_standardise_computes_by_hand() -> None:
    zero = np.zeros((1, 1, 2, 1), np.float32)
    label = np.zeros(1, np.int32)
    data = Dataset(zero, label, zero.copy(), label.copy(), ("a",), 3.0, 2.0, "t", "s", ("k",))
    image = np.array([[[7], [2]]])
    np.testing.assert_array_equal(data.standardise(image), [[[2], [-0.5]]])
    np.testing.assert_array_equal(data.standardise(image[None])[0], data.standardise(image))
    assert data.standardise(image).dtype == np.float32
    assert np.isnan(data.standardise(np.full((1, 2, 1), np.nan))).all()


def test_standardise_gives_the_data_sets_own_pictures(data: Dataset) -> None:
    raw = np.rint(data.test_images * data.deviation + data.mean)
    assert set(raw.ravel()) <= {0, 2, 10, 12}
    np.testing.assert_array_equal(data.standardise(raw), data.test_images)


def test_standardise_works_in_parts(monkeypatch: pytest.MonkeyPatch, data: Dataset) -> None:
    raw = np.random.default_rng(0).standard_normal((7, 2, 3, 1), np.float32)
    whole = data.standardise(raw)
    monkeypatch.setattr("explorer.data.dataset.CHUNK_SIZE", 13)
    np.testing.assert_array_equal(data.standardise(raw), whole)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 1), (4, 2, 3, 2), (1, 1, 2, 3, 1)])
def test_standardise_refuses_other_shapes(shape: tuple[int, ...], data: Dataset) -> None:
    with pytest.raises(InputError, match=r"images must (have 3 or 4 axes|hold .* shape 2×3×1)"):
        data.standardise(np.ones(shape))


@pytest.mark.parametrize(
    "copied",
    [lambda x: x, copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["itself", "copy", "deepcopy", "pickle"],
)
def test_copies_are_equal_and_read_only(
    copied: Callable[[Dataset], Dataset], data: Dataset
) -> None:
    other = copied(data)
    for name in ARRAYS:
        array = getattr(other, name)
        np.testing.assert_array_equal(array, getattr(data, name))
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert (other.classes, other.mean, other.deviation, other.title, other.source, other.key) == (
        data.classes,
        data.mean,
        data.deviation,
        data.title,
        data.source,
        data.key,
    )
    with pytest.raises(AttributeError):
        other.mean = 0.0  # type: ignore[misc]
