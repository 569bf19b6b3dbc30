"""What of a table is not values: a row of names, a column of names, numbering, empty columns."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import InputError
from explorer.inputs.table_layout import is_number
from explorer.inputs.table_lines import SEPARATORS, TableLines

KEEP_HINT = "if these are values, save the array as .npy."


@dataclass(frozen=True)
class Columns:
    """Which cells of each row are values.

    Attributes:
        has_header: whether row 0 is skipped.
        width: the number of cells in each row, with those that are skipped.
        kept: for each column, whether it holds values.
        empty: the columns that are skipped because they are empty.
        names_expected: whether column 0 is skipped because it holds names instead of numbers.
        notes: on what is skipped.
    """

    has_header: bool
    width: int
    kept: tuple[bool, ...]
    empty: tuple[int, ...]
    names_expected: bool
    notes: tuple[str, ...]


def find_columns(
    lines: TableLines, separator: str, first: list[str], second: list[str] | None
) -> Columns:
    """Return which cells are values, as the first two rows say.

    Row 0 is a header if it has no number, or if it is 0, 1, 2, … behind a cell that is none or
    above a column without a name. Column 0 holds row names if the header leaves its name out or
    empty, or numbers the other columns, or if the first cell below is not a number.
    """
    has_header = second is not None and (
        (any(cell.strip() for cell in first) and not any(is_number(cell) for cell in first))
        or (not is_number(first[0]) and is_numbering(first[1:]))
        or (1 < len(first) == len(second) - 1 and is_numbering(first))
    )
    cells = second if has_header and second is not None else first
    width = len(cells)
    empty = tuple(col for col, cell in enumerate(cells) if not cell.strip())
    notes, reason = [], ""
    if has_header:
        names = _without_last_empty(first, width)
        missing = width - len(names)
        if missing == len(empty) + 1:
            reason = "since the header has one cell fewer than the rows"
        elif missing not in (0, len(empty)):
            raise ragged_error(lines, separator, (1, width), (0, len(first)))
        elif not names[0].strip() and 0 not in empty:
            reason = "since its name is empty"
        elif len(names) > 1 and is_numbering(names[1:]):
            reason = "since the header numbers the columns after it"
        numbered = any(is_number(cell) for cell in names)
        what = "it numbers the columns" if numbered else "it has names instead of numbers"
        notes.append(f"The first row was skipped as a header: {what}.")
    names_expected = not reason and 0 not in empty and not is_number(cells[0])
    names_expected &= second is not None and width - len(empty) > 1
    if names_expected:
        notes.append("The first column was skipped: it has names instead of numbers.")
    elif reason:
        notes.append(f"The first column was skipped as row names, {reason}; {KEEP_HINT}")
    if empty and len(empty) < width:
        count = "1 column was" if len(empty) == 1 else f"{len(empty):,} columns were"
        notes.append(f"{count} skipped, since no row has a value there.")
        is_kept = [col not in empty for col in range(width)]
    else:  # a table of nothing but empty cells is refused at the first of them
        is_kept, empty = [True] * width, ()
    if reason or names_expected:
        is_kept[0] = False
    return Columns(has_header, width, tuple(is_kept), empty, names_expected, tuple(notes))


def without_numbering(
    values: np.ndarray, first_row: list[str] | None, first_column: list[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return values without a first row or column that numbers the others, and notes.

    A first row written 0, 1, 2, … is skipped, as the header of a pandas DataFrame without column
    names; a first column likewise, as its index. They are kept where both count, as in a table of
    distances, where the next row (column) goes on counting, as in `arange`, and where nothing else
    would be left.

    Args:
        values: `(H, W)`.
        first_row: the cells of row 0; None below a header, which numbering is then no part of.
        first_column: the cells of column 0; empty if row names were skipped.
    """
    height, width = values.shape
    row = first_row is not None and height > 1 and is_numbering(first_row)
    column = width > 1 and is_numbering(first_column)
    if row and column:
        return values, (
            "The first row and the first column count 0, 1, 2, … but were read as values, since "
            "both do; if they number columns and rows, remove them from the file.",
        )
    if row:
        return _without_first(values, "row", "columns")
    if column:
        values, notes = _without_first(values.T, "column", "rows")
        return values.T, notes
    return values, ()


def _without_first(
    values: np.ndarray, line: str, numbered: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    width = values.shape[1]
    if width == 1:
        note = f"The first {line} is 0 and was read as a value"
    elif np.array_equal(values[1], np.arange(width, 2 * width)):
        note = (
            f"The first {line} counts 0, 1, 2, … but was read as values, since the next {line} "
            "goes on counting"
        )
    else:
        note = (
            f"The first {line} (0, 1, 2, …) was skipped, since it numbers the {numbered}; "
            f"{KEEP_HINT}"
        )
        return values[1:], (note,)
    return values, (f"{note}; if it numbers the {numbered}, remove it from the file.",)


def is_numbering(cells: list[str]) -> bool:
    """Return whether cells are 0, 1, 2, … written as whole numbers."""
    return bool(cells) and all(cell.strip() == str(n) for n, cell in enumerate(cells))


def ragged_error(
    lines: TableLines, separator: str, found: tuple[int, int], before: tuple[int, int]
) -> InputError:
    """Return an error for two rows, given as (number, length), of different length."""
    hint = ""
    if separator == "," and {found[1], before[1]} == {1, 2}:
        hint = ", or decimal points instead of commas (1.5 for 1,5)"
    return InputError(
        f"Row {found[0]} of the {lines.ending} file has length {found[1]:,}, row {before[0]} has "
        f"length {before[1]:,} (counted from 0; line {lines.numbers[found[0]]}; cells separated by "
        f"{SEPARATORS[separator]}); expected rows of equal length{hint}."
    )


def _without_last_empty(names: list[str], width: int) -> list[str]:
    while len(names) > width and not names[-1].strip():
        names = names[:-1]
    return names
