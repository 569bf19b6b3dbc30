import numpy as np
import pytest

from explorer.errors import InputError
from explorer.inputs.arrays import read_npz_values
from tests.files import npy, npy_header, npz, zipped

CUBE = np.arange(24.0).reshape(2, 3, 4)


def accept(shape: tuple[int, ...]) -> None:
    """Accept any shape."""


@pytest.mark.parametrize(
    "array",
    [
        CUBE,
        np.asfortranarray(CUBE),
        CUBE.astype(">i2"),
        np.array([2**63 - 1, -(2**63)]),
        np.ones((1, 2, 1, 2, 1), np.uint8),
    ],
    ids=["float64", "Fortran", "big-endian", "int64 extremes", "five axes"],
)
def test_values_and_type_are_those_stored(array: np.ndarray) -> None:
    found = read_npz_values(npz(x=array, y=np.eye(2)), "x", accept)
    assert found.dtype == array.dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, array)


def test_another_type_can_be_asked_for() -> None:
    found = read_npz_values(npz(x=np.array([0.1, 1e300])), "x", accept, np.float32)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [np.float32(0.1), np.inf])


def test_a_signalling_nan_is_read_without_a_warning() -> None:
    signalling = np.array([0x7FF0000000000001], np.uint64).view(np.float64)
    assert np.isnan(read_npz_values(npz(x=signalling), "x", accept, np.float32)).all()


def test_the_shape_is_checked_before_the_values_are_read() -> None:
    seen = []

    def refuse(shape: tuple[int, ...]) -> None:
        seen.append(shape)
        raise InputError("too large")

    with pytest.raises(InputError, match="too large"):
        read_npz_values(zipped(**{"x.npy": npy_header((10**9, 10**9))}), "x", refuse)
    assert seen == [(10**9, 10**9)]


BAD = {
    "absent": (npz(a=CUBE), "no array named x; expected one of: a"),
    "no archive": (b"PK", "not a readable ZIP"),
    "objects": (
        zipped(**{"x.npy": npy(np.array([{}]), allow_pickle=True)}),
        "The array x holds Python objects",
    ),
    "text": (npz(x=np.array(["a"])), "The array x holds values that are not numbers"),
    "truncated": (zipped(**{"x.npy": npy_header((2, 3))}), "The array x is truncated"),
    "too long": (zipped(**{"x.npy": npy(CUBE) + b"a"}), "The array x holds more data"),
    "no axes": (npz(x=np.array(3.0)), r"The array x has shape \(\); expected at least one axis"),
    "empty": (npz(x=np.ones((0, 3))), "The array x has shape 0×3"),
    "negative": (zipped(**{"x.npy": npy_header((-2, 3))}), "The array x has shape -2×3"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_bad_arrays_are_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_npz_values(data, "x", accept)
