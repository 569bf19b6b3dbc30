"""Reader of tables of numbers (.csv, .tsv, .txt), as inputs of one channel."""

from collections.abc import Iterator
from itertools import chain, compress, islice

import numpy as np

from explorer.errors import InputError
from explorer.inputs.limits import check_shape
from explorer.inputs.table_header import Columns, find_columns, ragged_error, without_numbering
from explorer.inputs.table_layout import find_layout, is_number, split_rows
from explorer.inputs.table_lines import TableLines, printable, read_lines

DECIMAL_COMMA = (
    "Commas in numbers were read as decimal commas (1,5 as 1.5); if they separate thousands, save "
    "the table without them."
)


def read_table(data: bytes, ending: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a table of numbers with one row per line, and notes on what was skipped or assumed.

    The text is UTF-8, UTF-16 with a byte order mark, or any encoding that extends ASCII. Cells
    are separated by semicolons, tabs, commas or white space and may be quoted. Where a table has
    two readings, these rules choose one, and a note says both:

    - A first row without any number is a header. So is a first row 0, 1, 2, …, and a first column
      0, 1, 2, … is an index, unless both count or the counting goes on in the next row or column.
    - A first column is row names if its name is empty or missing, or if it has no number.
    - A comma in a cell is a decimal comma.
    - Lines of digits with one comma (`1,5`) are two columns in .csv files, and one column of
      decimal commas in .tsv and .txt files, below a single name, and where two integers are not
      written so (`1,05`).
    - Text from `#` to the end of a line is a comment.

    Args:
        data: the file's bytes.
        ending: ".csv", ".tsv" or ".txt", for messages and for the rule above.

    Returns:
        `(H, W)` float64 and sentences.

    Raises:
        InputError: the file is no such table, or exceeds the limits.
    """
    lines = read_lines(data, ending)
    layout = find_layout(lines)
    rows = split_rows(lines, layout.separator)
    start = list(islice(rows, 2))
    first = start[0][1]
    columns = find_columns(lines, layout.separator, first, start[1][1] if len(start) > 1 else None)
    check_shape((len(lines.texts) - columns.has_header, sum(columns.kept), 1))
    body = chain(start[columns.has_header :], rows)
    values, first_column, has_comma = _read_values(lines, layout.separator, columns, body)
    values, numbering = without_numbering(
        values,
        None if columns.has_header or not columns.kept[0] else list(compress(first, columns.kept)),
        first_column if columns.kept[0] else [],
    )
    notes = [*columns.notes, *numbering]
    if lines.separator is not None:
        notes.insert(0, "The first line was skipped: it names the separator (sep=).")
    if lines.comments:
        count = "1 comment was" if lines.comments == 1 else f"{lines.comments:,} comments were"
        notes.append(f"{count} skipped (text after #).")
    if layout.note:
        notes.append(layout.note)
    elif has_comma:
        notes.append(DECIMAL_COMMA)
    return values, tuple(notes)


def _read_values(
    lines: TableLines, separator: str, columns: Columns, rows: Iterator[tuple[int, list[str]]]
) -> tuple[np.ndarray, list[str], bool]:
    """Return values `(H, W)`, the cells of the first column, and whether a value has a comma."""
    start = int(columns.has_header)
    values = np.empty((len(lines.texts) - start, sum(columns.kept)))
    first_column: list[str] = []
    comma: tuple[int, list[str]] | None = None
    has_point = False
    is_plain = _is_plain(lines.texts, separator)
    for row, cells in rows:
        if len(cells) != columns.width:
            raise ragged_error(lines, separator, (row, len(cells)), (start, columns.width))
        if columns.names_expected and is_number(cells[0]):
            _, names = next(islice(split_rows(lines, separator), start, None))
            raise lines.cell_error(start, 0, names[0])
        for col in columns.empty:
            if cells[col]:
                raise lines.cell_error(start, col, "")
        numbers = cells if all(columns.kept) else list(compress(cells, columns.kept))
        try:
            if not is_plain:
                text = "\0".join(numbers)  # a sign that no file has
                if "_" in text or not text.isascii():  # float() takes 1_000 and other digits
                    raise ValueError
                has_point = has_point or "." in text
                if "," in text:
                    comma = comma or (row, cells)
                    numbers = text.replace(",", ".").split("\0")
            values[len(first_column)] = np.fromiter(map(float, numbers), float, len(numbers))
        except ValueError:
            kept = ((col, cell) for col, cell in enumerate(cells) if columns.kept[col])
            col, cell = next(item for item in kept if not is_number(item[1]))
            raise lines.cell_error(row, col, cell) from None
        first_column.append(cells[0])
    if comma and has_point:
        row, cells = comma
        col = next(i for i, cell in enumerate(cells) if columns.kept[i] and "," in cell)
        raise InputError(
            f"The cell at row {row}, column {col} of the {lines.ending} file (counted from 0; line "
            f'{lines.numbers[row]}) is "{printable(cells[col])}" with a comma, while other cells '
            "have decimal points; expected one decimal sign and no separators of thousands."
        )
    return values[: len(first_column)], first_column, comma is not None


def _is_plain(texts: list[str], separator: str) -> bool:
    """Return whether no cell can have a comma, an underscore or a sign that is not ASCII."""
    return not any(
        "_" in line or not line.isascii() or (("," in line) if separator != "," else ('"' in line))
        for line in texts
    )
