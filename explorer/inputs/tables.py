"""Reads a .csv file of numbers as an input of one channel."""

import io

import numpy as np

from explorer.errors import InputError
from explorer.inputs.limits import check_shape

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_csv(data: bytes) -> np.ndarray:
    """The table's numbers, `(H, W)` float64: one row a line, one cell a pixel.

    Cells are parted by commas, semicolons or tabs; there is no header row.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The .csv is not UTF-8 text (byte {error.start:,} of {len(data):,}); accepted are "
            "rows of numbers in plain text."
        ) from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError("The .csv has no row with content; accepted are rows of numbers.")
    delimiter = next((sign for sign in DELIMITERS if sign in lines[0]), ",")
    width = lines[0].count(delimiter) + 1
    for row, line in enumerate(lines):
        if line.count(delimiter) + 1 != width:
            raise InputError(
                f"Row {row} of the .csv has {line.count(delimiter) + 1:,} cells and row 0 has "
                f"{width:,} (parted by {DELIMITERS[delimiter]}); accepted are rows of one length."
            )
    check_shape((len(lines), width, 1))
    try:
        return np.loadtxt(
            io.StringIO("\n".join(lines)), delimiter=delimiter, comments=None, ndmin=2
        )
    except ValueError:
        row, col = _first_bad_cell(lines, delimiter)
        raise InputError(
            f"The cell in row {row}, column {col} of the .csv (counted from 0) is not a number; "
            "accepted are numbers such as 1, -2.5 or 3e-4, without a header row."
        ) from None


def _first_bad_cell(lines: list[str], delimiter: str) -> tuple[int, int]:
    cells = (
        (r, c, cell) for r, line in enumerate(lines) for c, cell in enumerate(line.split(delimiter))
    )
    return next(((row, col) for row, col, cell in cells if not _is_number(cell)), (0, 0))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()  # Python also reads 1_000 and other scripts' digits
