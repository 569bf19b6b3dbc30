"""Reader of .csv files of numbers, as inputs of one channel."""

import codecs

import numpy as np

from explorer.errors import InputError
from explorer.inputs.limits import MAX_CSV_BYTES, MAX_SIDE, check_shape, format_megabytes

MAX_LINE_ENDS = 4 * MAX_SIDE  # \r\n counts as two; blank lines count too
MAX_LINE_LENGTH = 64 * MAX_SIDE
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_csv(data: bytes) -> np.ndarray:
    """Read a table of numbers, `(H, W)` float64, with one row per line.

    Cells are separated by commas, semicolons or tabs; there is no header row.

    Raises:
        InputError: the file is no such table, or exceeds the limits.
    """
    lines = [line for line in _split_lines(data) if line.strip()]
    if not lines:
        raise InputError("The .csv file is blank; expected rows of numbers.")
    check_shape((len(lines), 1, 1))
    delimiter = next((sign for sign in DELIMITERS if sign in lines[0]), ",")
    width = lines[0].count(delimiter) + 1
    for row, line in enumerate(lines):
        if line.count(delimiter) + 1 != width:
            raise InputError(
                f"Row {row} of the .csv file has length {line.count(delimiter) + 1:,}, row 0 has "
                f"length {width:,} (cells separated by {DELIMITERS[delimiter]}); expected rows of "
                "equal length."
            )
    check_shape((len(lines), width, 1))
    values = np.empty((len(lines), width))
    for row, line in enumerate(lines):
        try:
            values[row] = np.loadtxt([line], delimiter=delimiter, comments=None, ndmin=1)
        except ValueError:
            cells = line.split(delimiter)
            col = next((col for col, cell in enumerate(cells) if not _is_number(cell)), 0)
            raise InputError(
                f"The cell at row {row}, column {col} of the .csv file (counted from 0) is not a "
                "number; expected numbers such as 1, -2.5 or 3e-4, without a header row."
            ) from None
    return values


def _split_lines(data: bytes) -> list[str]:
    """Return the file's lines, after checks of size, number of lines and encoding."""
    if len(data) > MAX_CSV_BYTES:
        raise InputError(
            f"The .csv file is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_CSV_BYTES)}. Save the array as .npy instead."
        )
    ends = data.count(b"\n") + data.count(b"\r")
    if ends > MAX_LINE_ENDS:
        raise InputError(f"The .csv file has {ends:,} line ends; the limit is {MAX_LINE_ENDS:,}.")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The .csv file is not ASCII text (byte {error.start:,} of {len(data):,}); expected "
            "rows of numbers."
        ) from None
    lines = text.replace("\r", "\n").split("\n")
    for row, line in enumerate(lines):
        if len(line) > MAX_LINE_LENGTH:
            raise InputError(
                f"Line {row} of the .csv file has {len(line):,} characters; the limit is "
                f"{MAX_LINE_LENGTH:,}."
            )
    return lines


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()  # float() takes 1_000 and non-ASCII digits
