import numpy as np
from sklearn.datasets import load_digits

from explorer.data import digits


def test_the_parts_have_their_documented_shapes() -> None:
    data = digits()
    assert data.train_images.shape == (1437, 8, 8, 1)
    assert data.test_images.shape == (360, 8, 8, 1)
    assert data.train_images.dtype == data.test_images.dtype == np.float32
    assert data.train_labels.dtype == data.test_labels.dtype == np.int32
    assert data.shape == (8, 8, 1)
    assert data.channels == 1
    assert data.number_of_classes == 10
    assert data.classes == tuple("0123456789")
    assert data.key == ("digits",)
    assert digits() is data


def test_every_picture_is_there_once_with_its_label() -> None:
    found, data = load_digits(), digits()
    images = np.concatenate([data.train_images, data.test_images])
    labels = np.concatenate([data.train_labels, data.test_labels])
    raw = np.rint(images * data.deviation + data.mean).astype(int).reshape(1797, 64)
    rows = sorted((*row, label) for row, label in zip(raw.tolist(), labels.tolist(), strict=True))
    expected = zip(found.data.astype(int).tolist(), found.target.tolist(), strict=True)
    assert rows == sorted((*row, label) for row, label in expected)


def test_every_class_keeps_its_share() -> None:
    data = digits()
    sizes = np.bincount(load_digits().target)
    assert np.bincount(data.test_labels).tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]
    assert (np.bincount(data.train_labels) + np.bincount(data.test_labels)).tolist() == [*sizes]


def test_the_split_does_not_change() -> None:
    assert digits().test_labels[:12].tolist() == [2, 9, 0, 1, 1, 5, 2, 1, 3, 6, 5, 9]


def test_the_training_pictures_are_standardised_exactly() -> None:
    data = digits()
    raw = np.rint(data.train_images * data.deviation + data.mean).astype(int)
    # From exact integer sums: mean = S/n, variance = Q/n − (S/n)².
    count, total, squares = raw.size, int(raw.sum()), int((raw**2).sum())
    assert data.mean == total / count
    np.testing.assert_allclose(
        data.deviation, np.sqrt(squares * count - total**2) / count, rtol=1e-14
    )
    expected = ((raw - data.mean) / data.deviation).astype(np.float32)
    np.testing.assert_array_equal(data.train_images, expected)
    assert abs(float(data.train_images.mean(dtype=float))) < 1e-7
    assert abs(float(data.train_images.std(dtype=float)) - 1) < 1e-7


def test_the_credit_names_the_creators_in_the_description() -> None:
    data, description = digits(), load_digits().DESCR
    for words in ("E. Alpaydin", "C. Kaynak"):
        assert words in data.source
        assert words in description
    assert f"{len(data.train_labels) + len(data.test_labels):,}" in data.source
