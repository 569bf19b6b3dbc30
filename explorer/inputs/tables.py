"""Reads a .csv file of numbers as an input of one channel."""

import codecs

import numpy as np

from explorer.errors import InputError
from explorer.inputs.limits import MAX_CSV_BYTES, MAX_SIDE, check_shape

MAX_LINES = 4 * MAX_SIDE  # blank ones and both ends of \r\n counted
MAX_LINE = 64 * MAX_SIDE
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_csv(data: bytes) -> np.ndarray:
    """The table's numbers, `(H, W)` float64: one row a line, one cell a pixel.

    Cells are parted by commas, semicolons or tabs; there is no header row.
    """
    lines = [line for line in _lines(data) if line.strip()]
    if not lines:
        raise InputError("The .csv has no row with content; accepted are rows of numbers.")
    check_shape((len(lines), 1, 1))
    delimiter = next((sign for sign in DELIMITERS if sign in lines[0]), ",")
    width = lines[0].count(delimiter) + 1
    for row, line in enumerate(lines):
        if line.count(delimiter) + 1 != width:
            raise InputError(
                f"Row {row} of the .csv has {line.count(delimiter) + 1:,} cells and row 0 has "
                f"{width:,} (parted by {DELIMITERS[delimiter]}); accepted are rows of one length."
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
                f"The cell in row {row}, column {col} of the .csv (counted from 0) is not a "
                "number; accepted are numbers such as 1, -2.5 or 3e-4, without a header row."
            ) from None
    return values


def _lines(data: bytes) -> list[str]:
    """The file's lines; how many and how long they are is judged before they are parted."""
    if len(data) > MAX_CSV_BYTES:
        raise InputError(
            f"The .csv has {len(data):,} bytes; accepted are at most {MAX_CSV_BYTES:,}. Save the "
            "array as .npy to bring more."
        )
    ends = data.count(b"\n") + data.count(b"\r")
    if ends > MAX_LINES:
        raise InputError(f"The .csv has {ends:,} line ends; accepted are at most {MAX_LINES:,}.")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The .csv holds a byte that is no plain ASCII text (byte {error.start:,} of "
            f"{len(data):,}); accepted are rows of numbers."
        ) from None
    lines = text.replace("\r", "\n").split("\n")
    for row, line in enumerate(lines):
        if len(line) > MAX_LINE:
            raise InputError(
                f"Line {row} of the .csv has {len(line):,} characters; accepted are at most "
                f"{MAX_LINE:,}."
            )
    return lines


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()  # Python also reads 1_000 and other scripts' digits
