import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from explorer import InputError
from explorer.model import weight_file
from explorer.model.weight_file import flatten, nest, read_weights, write_weights

ARRAYS = {"a.kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(-0.0)}


def raw(header: Any, data: bytes = b"") -> bytes:
    """Return a safetensors file with this header: its length, JSON, and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_arrays_and_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    settings = {"steps": 3, "rate": 0.1, "classes": ["null", "eins", "«2»"]}
    write_weights(str(path), ARRAYS, settings)
    arrays, found = read_weights(path)
    assert found == settings
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].tobytes() == array.tobytes()
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)


def test_other_programs_read_the_file(tmp_path: Path) -> None:
    write_weights(tmp_path / "a", ARRAYS, {})
    np.testing.assert_array_equal(load_file(tmp_path / "a")["a.kernel"], ARRAYS["a.kernel"])


def test_an_array_that_is_not_contiguous_is_written_in_its_order(tmp_path: Path) -> None:
    write_weights(tmp_path / "a", {"a": ARRAYS["a.kernel"].T}, {})
    np.testing.assert_array_equal(read_weights(tmp_path / "a")[0]["a"], ARRAYS["a.kernel"].T)


def test_a_file_without_settings_has_none(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    (tmp_path / "a").write_bytes(raw({"a": entry}, bytes(4)))
    assert read_weights(tmp_path / "a") == ({"a": np.zeros(1)}, {})


def test_nested_dicts_and_names_with_dots_are_the_same() -> None:
    parts = {"stem": {"conv": {"kernel": 1, "bias": 2}}, "head": {"bias": 3}}
    flat = flatten(parts)
    assert flat == {"stem.conv.kernel": 1, "stem.conv.bias": 2, "head.bias": 3}
    assert nest(flat) == parts


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a.b"], "'a.b' within an array"),
        (["a.b", "a"], "the array 'a' twice"),
        (["a.b.c.d.e"], "'a.b.c.d.e'; the limit is 4 names"),
        (["." * 10**6], r"…; the limit is 4 names"),
    ],
)
def test_names_that_cannot_be_nested_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        nest(dict.fromkeys(names, np.zeros(1)))


ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
SETTINGS = "__metadata__"
BAD = {
    "empty": (b"", "not a readable safetensors file"),
    "text": (b"kernel,1,2,3\n" * 9, "not a readable safetensors file"),
    "length of exabytes": (b"\xff" * 8 + b"{}", "not a readable safetensors file"),
    "length beyond the end": (struct.pack("<Q", 99) + b"{}", "not a readable safetensors file"),
    "no JSON": (raw(b"{nothing}"), "not a readable safetensors file"),
    "no UTF-8": (raw(b"\x80{}"), "not a readable safetensors file"),
    "list": (raw([1]), "not a readable safetensors file"),
    "deep header": (raw(b'{"a":' + b"[" * 10**5), "not a readable safetensors file"),
    "data missing": (raw({"a": ENTRY}), "not a readable safetensors file"),
    "data left": (raw({"a": ENTRY}, bytes(5)), "not a readable safetensors file"),
    "shape of exabytes": (
        raw({"a": ENTRY | {"shape": [2**62, 2**62]}}, bytes(4)),
        "not a readable safetensors file",
    ),
    "unknown type": (raw({"a": ENTRY | {"dtype": "F31"}}, bytes(4)), "not a readable"),
    "bfloat16": (
        raw({"a": ENTRY | {"dtype": "BF16", "shape": [2]}}, bytes(4)),
        "has arrays of type 'BF16'; expected those of NumPy, such as F32",
    ),
    "no settings": (raw({SETTINGS: {"settings": ""}}), "not readable JSON"),
    "settings of text": (raw({SETTINGS: {"settings": '"a"'}}), "must be an object, got 'a'"),
    "settings of NaN": (raw({SETTINGS: {"settings": "NaN"}}), "must be an object, got nan"),
    "deep settings": (raw({SETTINGS: {"settings": "[" * 10**5}}), "not readable JSON"),
    "huge number": (raw({SETTINGS: {"settings": "9" * 5000}}), "not readable JSON"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_bad_files_give_one_sentence(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read_weights(tmp_path / "a")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_file, "MAX_BYTES", 2**20)
    (tmp_path / "a").write_bytes(bytes(2**20 + 1))
    with pytest.raises(InputError, match=r"^The file has more than 1 MB, which is the limit"):
        read_weights(tmp_path / "a")


@pytest.mark.parametrize("path", ["", "absent", "absent/file", "\0", "a" * 10**4])
def test_paths_that_cannot_be_used_are_refused(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(path)
    if path != "absent":
        with pytest.raises(InputError, match="cannot be written"):
            write_weights(path, ARRAYS, {})


@pytest.mark.parametrize("path", [None, 3, b"a"])
def test_only_paths_are_taken(path: object) -> None:
    with pytest.raises(InputError, match="path must be the path of a file, got"):
        read_weights(path)
    with pytest.raises(InputError, match="path must be the path of a file, got"):
        write_weights(path, ARRAYS, {})


def test_settings_that_are_not_of_json_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be of the types of JSON"):
        write_weights(tmp_path / "a", ARRAYS, {"a": object()})
    assert not list(tmp_path.iterdir())
