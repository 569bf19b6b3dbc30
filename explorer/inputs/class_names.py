"""Names of classes, from a text file with one name a line."""

from explorer.errors import InputError, check_integer, describe
from explorer.inputs.limits import format_megabytes

MAX_BYTES = 1_000_000
LONGEST = 80  # characters of a name that are kept


def read_class_names(data: bytes, count: int) -> tuple[str, ...]:
    """Return the names of a file, in the order of the classes.

    Args:
        data: the file's bytes: UTF-8, one name a line; empty lines at the end do not count.
        count: the number of classes.

    Raises:
        InputError: the file is no such text, or has another number of names.
    """
    if not isinstance(data, bytes):
        raise InputError(f"data must be bytes, got {describe(data)}.")
    wanted = check_integer("count", count, 1, None)
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The file of names is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_BYTES)}."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The file of names is not UTF-8 text: byte {error.start} cannot be read. Save it as "
            "UTF-8, with one name a line."
        ) from None
    names = [" ".join(line.split())[:LONGEST] for line in text.rstrip().split("\n")]
    if len(names) != wanted:
        raise InputError(
            f"The file of names must have {wanted:,} lines, one for each class in their order; it "
            f"has {len(names):,}."
        )
    return tuple(names)
