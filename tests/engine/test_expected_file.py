"""Files of expected values: .npy, .npz and .safetensors, and what is refused."""

import io
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import InputError, read_expected

MAPS = np.random.default_rng(0).standard_normal((1, 4, 3, 2))


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_format_and_type_of_real_numbers(dtype: str) -> None:
    array = MAPS.astype(dtype)
    name = "layer2.0"
    files = npz(**{name: array}), save({name: array}), npy(array), npy(np.asfortranarray(array))
    for data in files:
        found = read_expected(data, name)
        assert list(found) == [name]
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array.astype(np.float32))


def test_integers_stay_as_they_are() -> None:
    np.testing.assert_array_equal(read_expected(npy(np.arange(6)), "logits")["logits"], range(6))


def test_names_of_a_file_with_names_are_its_own() -> None:
    assert set(read_expected(npz(stem=MAPS, logits=MAPS[0, 0, 0]), "layer1.0")) == {
        "stem",
        "logits",
    }


HOSTILE = {
    "no name": (npy(MAPS), None, "pass name"),
    "nothing": (b"", "stem", "neither a safetensors nor a .npz file"),
    "pickle": (b"\x80\x04\x95", "stem", "is a pickle"),
    "objects": (npy(np.array([None])), "stem", "holds Python objects"),
    "complex": (npy(MAPS * 1j), "stem", "holds complex numbers"),
    "empty": (npy(MAPS[:0]), "stem", "shape 0×4×3×2, so no value"),
    "truncated": (npy(MAPS)[:-8], "stem", "is truncated"),
    "longer": (npy(MAPS) + b"0", "stem", "holds more data"),
    "no header": (b"\x93NUMPY\x01\x00", "stem", "header cannot be read"),
    "huge": (
        npy(MAPS).replace(b"(1, 4, 3, 2), } ", b"(9999999999,), }"),
        "stem",
        "the limit is 110 MB",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_files_that_are_refused(case: str) -> None:
    data, name, message = HOSTILE[case]
    with pytest.raises(InputError, match=message):
        read_expected(data, name)


def test_data_must_be_bytes() -> None:
    with pytest.raises(InputError, match="must be the bytes of a file"):
        read_expected("layer1.npy")  # type: ignore[arg-type]
