import pytest

from explorer.errors import InputError
from explorer.inputs.class_names import MAX_BYTES, read_class_names


def test_one_name_a_line() -> None:
    data = "\ufefftench\r\ngreat  white shark\n\nhen\n\n".encode()
    assert read_class_names(data, 4) == ("tench", "great white shark", "", "hen")
    assert read_class_names(b"x" * 100, 1) == ("x" * 80,)


@pytest.mark.parametrize(
    ("data", "count", "message"),
    [
        (b"a\nb", 3, "must have 3 lines.*it has 2"),
        (b"", 2, "must have 2 lines.*it has 1"),
        (b"a\n\xff", 2, "is not UTF-8 text: byte 2"),
        (b"a" * (MAX_BYTES + 1), 1, r"is 1\.1 MB; the limit is 1 MB"),
        ("a", 1, "data must be bytes, got 'a'"),
        (b"a", 0, "count must be"),
    ],
)
def test_other_files_are_refused(data: bytes, count: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_class_names(data, count)
