"""Files of tensors: every format that is read, and one plain sentence for each that is not."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import InputError
from explorer.model import tensor_file
from explorer.model.checkpoint import read_checkpoint, read_tensors
from tests.checkpoints import Architecture, state_of
from tests.files import npy, npy_header, npz, zipped
from tests.helpers import noise

STATE = state_of(Architecture())
FILE = save(STATE, {"format": "pt"})
NPZ = npz(**STATE)
ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
SECOND = {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """Return a safetensors file with this header: its length, JSON, and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(**changes: Any) -> bytes:
    """Return a file of one tensor of 4 bytes, with changes to its entry."""
    return raw({"a": ENTRY | changes}, bytes(4))


def zip_of(
    members: dict[str, bytes], compression: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


class Bomb:
    """An object whose pickle would end the tests."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def torch_zip(first: str = "archive/data.pkl") -> bytes:
    return zip_of(
        {first: pickle.dumps(Bomb()), "archive/data/0": bytes(16), "archive/version": b"3"}
    )


def tar_of(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def declared(size: int) -> bytes:
    """Return a .npz file that declares this size for its only member."""
    data = zip_of({"a.npy": npy(np.ones(3))})
    return patched(data, struct.pack("<I", len(npy(np.ones(3)))), struct.pack("<I", size))


SAFETENSORS = {
    "header length beyond the end": (raw(b"{}", length=99), "99 bytes long by its length field"),
    "header length of exabytes": (raw(b"{}", length=2**63), r"bytes long .* limit is 1,000,000"),
    "header of 10 MB": (raw(b"{" + b" " * 10**7 + b"}"), "the limit is 1,000,000"),
    "header of 100,000 tensors": (
        raw({f"tensor{i}": ENTRY for i in range(10**5)}),
        "the limit is 1,000,000",
    ),
    "too many tensors": (
        raw({f"a{i}": ENTRY for i in range(10_001)}),
        "has 10,001 tensors; expected from 1 to 10,000",
    ),
    "no tensor": (raw({}), "has 0 tensors"),
    "metadata alone": (raw({"__metadata__": {"a": "b"}}), "has 0 tensors"),
    "no JSON": (raw(b"{nothing}"), "not readable JSON"),
    "JSON cut off": (raw(b'{"a":{"dtype"'), "not readable JSON"),
    "no UTF-8": (raw(b'{"\xff":1}'), "not readable JSON"),
    "two objects": (raw(b"{}{}"), "not readable JSON"),
    "deep header": (raw(b'{"a":' + b"[" * 10**5), "not readable JSON"),
    "number of 5,000 digits": (raw(b'{"a":' + b"9" * 5000 + b"}"), "not readable JSON"),
    "name twice": (
        raw(f'{{"a":{json.dumps(ENTRY)},"a":{json.dumps(ENTRY)}}}'.encode(), bytes(4)),
        "has the name a twice",
    ),
    "key twice": (raw(b'{"a":{"dtype":"F32","dtype":"F16"}}'), "has the name dtype twice"),
    "100,000 keys": (
        raw(b"{" + b",".join(b'"%d":1' % i for i in range(10**5)) + b',"0":2}'),
        "the limit is 1,000,000|has the name 0 twice",
    ),
    "metadata of numbers": (raw({"__metadata__": {"a": 1}, "a": ENTRY}, bytes(4)), "of texts"),
    "metadata as a list": (raw({"__metadata__": ["a"], "a": ENTRY}, bytes(4)), "of texts"),
    "entry is a number": (raw({"a": 4}, bytes(4)), "a must have dtype, shape and data_offsets"),
    "entry without a shape": (
        raw({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
        "a must have dtype, shape and data_offsets",
    ),
    "entry with more": (entry(strides=[1]), "a must have dtype, shape and data_offsets"),
    "unknown type": (entry(dtype="F31"), "a has the type 'F31'; expected F32, F16, BF16 or F64"),
    "8-bit floats": (entry(dtype="F8_E4M3"), "a has the type 'F8_E4M3'"),
    "type is a list": (entry(dtype=["F32"]), r"a has the type \['F32'\]"),
    "shape is a number": (entry(shape=1), "a has the shape 1; expected at most 8 integers"),
    "shape of fractions": (entry(shape=[1.0]), r"a has the shape \[1.0\]"),
    "shape of truth values": (entry(shape=[True]), r"a has the shape \[True\]"),
    "negative shape": (entry(shape=[-1, -1]), r"a has the shape \[-1, -1\]"),
    "empty tensor": (entry(shape=[0], data_offsets=[0, 0]), r"a has the shape \[0\]"),
    "nine axes": (entry(shape=[1] * 9), r"a has the shape \[1, 1, 1"),
    "100,000 axes": (entry(shape=[1] * 10**5), r"a has the shape \[1, 1, 1"),
    "shape of exabytes": (entry(shape=[2**62, 2**62]), "a has 4 bytes, .* shape over 10¹²×over"),
    "shape larger than the data": (entry(shape=[2]), "a has 4 bytes, .* F32 values of shape 2"),
    "shape smaller than the data": (entry(dtype="F16"), "a has 4 bytes, .* F16 values of shape 1"),
    "one offset": (entry(data_offsets=[4]), r"a has the data_offsets \[4\]"),
    "offsets in reverse": (entry(data_offsets=[4, 0]), r"a has the data_offsets \[4, 0\]"),
    "negative offsets": (entry(data_offsets=[-4, 0]), r"a has the data_offsets \[-4, 0\]"),
    "offsets of text": (entry(data_offsets="04"), "a has the data_offsets '04'"),
    "offsets beyond the end": (
        entry(data_offsets=[4, 8]),
        "a ends at byte 8 of the data, .* has 4",
    ),
    "offsets of exabytes": (
        entry(data_offsets=[0, 2**80]),
        "a ends at byte 1208925819614629174706",
    ),
    "overlap": (raw({"a": ENTRY, "b": ENTRY}, bytes(4)), "b overlaps another: it starts at byte 0"),
    "partial overlap": (
        raw({"a": ENTRY, "b": SECOND | {"data_offsets": [2, 6]}}, bytes(6)),
        "b overlaps another: it starts at byte 2 of the data and 4",
    ),
    "hole": (raw({"b": SECOND}, bytes(8)), "b follows a hole in the data"),
    "bytes left": (raw({"a": ENTRY}, bytes(5)), "has 1 bytes after its last tensor"),
    "data missing": (raw({"a": ENTRY}), "a ends at byte 4 of the data, and the file has 0 bytes"),
    "truncated in the data": (FILE[:-1], "of the data, and the file has"),
    "truncated in the header": (FILE[:100], "by its length field, but the file has 100 bytes"),
    "HTML in a name": (
        raw({"<b onload='x'>\n\0": 4}, bytes(4)),
        r"The tensor \?b\?onload\?\?x\?\?\?\? must have",
    ),
    "name of 100,000 letters": (raw({"a" * 10**5: 4}, bytes(4)), "The tensor a{100}… must have"),
}
PICKLE = "is a pickle, as PyTorch writes them .* never opened .*import torch, safetensors.torch"
OTHERS = {
    "empty": (b"", "neither a safetensors nor a .npz file"),
    "one byte": (b"{", "neither a safetensors nor a .npz file"),
    "eight zeros": (bytes(8), "neither a safetensors nor a .npz file"),
    "text": (b"kernel,1,2,3\n" * 9, "neither a safetensors nor a .npz file"),
    "HTML": (b"<html><script>alert(1)</script>", "neither a safetensors nor a .npz file"),
    "pickle of protocol 0": (pickle.dumps(Bomb(), 0), "neither .* import torch, safetensors.torch"),
    "header that is a list": (raw([1, 2]), "neither a safetensors nor a .npz file"),
    **{
        f"pickle of protocol {protocol}": (pickle.dumps(Bomb(), protocol), PICKLE)
        for protocol in (2, 3, 4, 5)
    },
    "PyTorch's old format": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + bytes(99), PICKLE),
    "PyTorch's ZIP": (torch_zip(), PICKLE),
    "PyTorch's ZIP with another first member": (torch_zip("model/data.pkl"), PICKLE),
    "pickle in a ZIP called .npz": (
        zip_of({"a.npy": npy(np.ones(3)), "data.pkl": pickle.dumps(Bomb())}),
        PICKLE,
    ),
    "gzip of a pickle": (gzip.compress(pickle.dumps(Bomb())), "is a gzip archive .* unpack it"),
    "gzip of zeros": (gzip.compress(bytes(10**7)), "is a gzip archive"),
    "bzip2": (bz2.compress(FILE), "is a bzip2 archive"),
    "xz": (lzma.compress(FILE), "is an xz archive"),
    "tar of a pickle": (tar_of(pickle.dumps(Bomb())), "is a tar archive"),
    "single array": (npy(np.ones(3)), "is a single NumPy array .* save it as safetensors first"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file"),
}
ARCHIVES = {
    "empty ZIP": (zip_of({}), "holds no array"),
    "ZIP of text": (zip_of({"a.txt": b"text"}), r"member a\?txt that is no array"),
    "ZIP of safetensors": (zip_of({"a.safetensors": FILE}), "that is no array or is there twice"),
    "array of objects": (
        zip_of({"a.npy": npy(np.array([Bomb()], object), allow_pickle=True)}),
        "a holds Python objects, which need unpickling and could run code",
    ),
    "pickle as an array": (zip_of({"a.npy": pickle.dumps(Bomb())}), "header cannot be read"),
    "array of text": (zip_of({"a.npy": npy(np.array(["x"]))}), "a holds values that are not num"),
    "complex numbers": (zip_of({"a.npy": npy(np.ones(1, complex))}), "a holds complex numbers"),
    "empty array": (zip_of({"a.npy": npy(np.ones((0, 3)))}), "a has shape 0×3, so no value"),
    "no array inside": (zip_of({"a.npy": b""}), "header cannot be read"),
    "array cut off": (zip_of({"a.npy": npy(np.ones(9))[:-8]}), "a is truncated"),
    "array with more": (zip_of({"a.npy": npy(np.ones(9)) + b"1"}), "a holds more data"),
    "shape of exabytes": (zip_of({"a.npy": npy_header((2**60,))}), "the limit is 110 MB"),
    "16-bit floats of 120 MB as float32": (
        zip_of({"a.npy": npy_header((30_000_000,), "<f2")}),
        "holds 120 MB when unpacked, .* the limit is 110 MB",
    ),
    "declared size of 4 GB": (declared(2**32 - 2), "holds 4295 MB when unpacked"),
    "zeros of 120 MB": (
        zip_of({"a.npy": npy_header((30_000_000,)) + bytes(120_000_000)}, zipfile.ZIP_DEFLATED),
        "holds 120.1 MB when unpacked, .* the limit is 110 MB",
    ),
    "unsupported compression": (
        zip_of({"a.npy": npy(np.ones(9))}, zipfile.ZIP_BZIP2),
        "a is compressed by an unsupported method",
    ),
    "wrong checksum": (
        patched(zip_of({"a.npy": npy(np.ones(9))}), np.ones(9).tobytes(), bytes(72)),
        "a cannot be unpacked",
    ),
    "too many members": (
        zip_of({f"{i}.npy": b"" for i in range(10_001)}),
        "has 10,001 members; the limit is 10,000",
    ),
    "truncated ZIP": (NPZ[:-40], "not a readable ZIP archive of at most 10,000 members"),
    "directory of 4 MB": (
        zip_of({f"{'a' * 40_000}{i}.npy": b"" for i in range(100)}),
        "not a readable ZIP archive of at most 10,000 members",
    ),
    "HTML in a name": (zip_of({"<b>.npy": b""}), "header cannot be read"),
}
HOSTILE = {
    f"{group}: {name}": case
    for group, cases in (("safetensors", SAFETENSORS), ("other", OTHERS), ("zip", ARCHIVES))
    for name, case in cases.items()
}


def assert_one_plain_sentence(message: str) -> None:
    assert message.isprintable()
    assert message.endswith(".")
    assert "<" not in message
    assert len(message) < 500


@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_give_one_sentence_and_take_little_memory(data: bytes, message: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            read_tensors(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_one_plain_sentence(str(caught.value))
    assert peak < 100_000_000


def test_damaged_files_are_read_or_refused() -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for original in (FILE, NPZ):
        for _ in range(150):
            damaged = bytearray(original)
            for at in rng.integers(0, min(len(damaged), 3000), 3):
                damaged[at] = rng.integers(256)
            cut = len(damaged) if rng.random() < 0.5 else int(rng.integers(len(damaged)))
            try:
                read_checkpoint(read_tensors(bytes(damaged[:cut]))[0])
            except InputError as error:
                refused += 1
                assert_one_plain_sentence(str(error))
    assert refused > 150


@pytest.mark.parametrize(
    "data", [FILE, NPZ, zipped(**{f"{k}.npy": npy(v) for k, v in STATE.items()})]
)
def test_tensors_come_back_by_name(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(data)
    for source in (data, tmp_path / "model.pth", str(tmp_path / "model.pth")):
        tensors, metadata = read_tensors(source)
        assert metadata == ({"format": "pt"} if data is FILE else {})
        assert tensors.keys() == STATE.keys()
        for name, tensor in STATE.items():
            assert tensors[name].dtype == tensor.dtype
            np.testing.assert_array_equal(tensors[name], tensor)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_numbers_become_float32(dtype: type[np.floating[Any]]) -> None:
    values = np.concatenate([noise((50,)), [0, -0.0, np.inf, -np.inf, np.nan]]).astype(dtype)
    for data in (save({"a": values}), npz(a=values)):
        found = read_tensors(data)[0]["a"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values.astype(np.float32))


def test_bfloat16_becomes_float32() -> None:
    halves = np.array([0x3F80, 0xC000, 0x7F80, 0x0001, 0x8000, 0x7FC0], np.uint16)
    expected = np.array([1, -2, np.inf, 2.0**-133, -0.0, np.nan], np.float32)
    item = {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}
    found = read_tensors(raw({"a": item}, halves.tobytes()))[0]["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected.reshape(2, 3))
    assert np.signbit(found[1, 1])


def test_values_beyond_float32_become_infinite_without_a_warning() -> None:
    for data in (save({"a": np.array([1e300, -1e300])}), npz(a=np.array([1e300, -1e300]))):
        np.testing.assert_array_equal(read_tensors(data)[0]["a"], [np.inf, -np.inf])


def test_a_file_whose_values_are_not_aligned_is_read() -> None:
    data = raw(json.dumps({"a": ENTRY}).encode() + b" ", np.float32(3).tobytes())
    other = raw(json.dumps({"a": ENTRY}).encode() + b"  ", np.float32(3).tobytes())
    assert read_tensors(data)[0]["a"] == read_tensors(other)[0]["a"] == 3


@pytest.mark.parametrize("source", ["", "absent", "\0", "a" * 10**4, ".", None, 3, bytearray(b"a")])
def test_sources_that_cannot_be_read_are_refused(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InputError, match=r"cannot be read: |source must be bytes or the path"
    ) as caught:
        read_tensors(source)
    assert_one_plain_sentence(str(caught.value))


def test_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.truncate(110_000_001)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^The file is 110.1 MB; the limit is 110 MB: save"):
            read_tensors(path)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_16_bit_files_are_limited_by_their_size_as_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    data = save({"a": np.zeros(40_000, np.float16)})
    monkeypatch.setattr(tensor_file, "MAX_CHECKPOINT_BYTES", 160_000)
    assert read_tensors(data)[0]["a"].nbytes == 160_000
    monkeypatch.setattr(tensor_file, "MAX_CHECKPOINT_BYTES", 159_999)
    with pytest.raises(InputError, match=r"tensors take 0.2 MB as float32; the limit is 0.2 MB"):
        read_tensors(data)
