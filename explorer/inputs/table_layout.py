"""The separator of a table's cells, and whether a comma in a cell is a decimal comma."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.inputs.table_lines import TableLines

_QUOTED = re.compile(r'"[^"]*"')
_WITH_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
_DIGITS = re.compile(r"\s*([-+]?\d+)(?:,(\d+))?(?:[eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Layout:
    """How lines are split into cells.

    Attributes:
        separator: `,`, `;`, a tab, or a space for any run of spaces and tabs.
        note: on what was assumed; empty if nothing was.
    """

    separator: str
    note: str = ""


def find_layout(lines: TableLines) -> Layout:
    """Return a table's layout.

    The separator is that of a `sep=` line, or else the first of these that occurs in the first
    two lines: semicolon, white space between numbers alone, tab, comma, white space.
    """
    if lines.separator is not None:
        return Layout(lines.separator)
    first, *body = (_QUOTED.sub('""', line) for line in lines.texts[:2])
    sample = body[0] if body else first
    if ";" in first + sample:
        return Layout(";")
    words = sample.split()
    if len(words) > 1 and all(word == '""' or is_number(word) for word in words):
        return _white_space(lines, len(words))
    if "\t" in first + sample:
        return Layout("\t")
    if len(words) > 1 and "," not in first + sample:
        return Layout(" ")
    return _commas(lines)


def split_rows(lines: TableLines, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Return the row number and the cells of each row, without quotation marks.

    Raises:
        InputError: a quotation mark is not closed.
    """
    spaced = separator == " "
    # Without its end, a line that goes on within quotes would join the digits of two lines.
    texts = (f"{_single_spaces(line) if spaced else line}\n" for line in lines.texts)
    reader = csv.reader(texts, delimiter=separator, skipinitialspace=not spaced, strict=True)
    row = 0
    try:
        for cells in reader:
            yield row, cells
            row = reader.line_num  # a quoted cell may go on in the next line
    except csv.Error:
        raise InputError(
            f"Row {row} of the {lines.ending} file (counted from 0; line {lines.numbers[row]}) has "
            'a quotation mark that is not closed, or text after it; expected cells such as "1.5".'
        ) from None


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point or a decimal comma."""
    if "," in cell:
        return _WITH_COMMA.fullmatch(cell) is not None and cell.isascii()
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()  # float() takes 1_000 and non-ASCII digits


def _white_space(lines: TableLines, words: int) -> Layout:
    """Return the layout of rows of numbers between which there are only spaces and tabs.

    Single tabs are told from runs, since a cell may be missing between two of them.
    """
    first, *body = lines.texts
    is_row = not body or all(is_number(word) for word in first.split())
    tabs = {line.count("\t") for line in (lines.texts if is_row else body)}
    if tabs == {0}:
        return Layout(" ")
    if len(tabs) == 1 and words <= tabs.pop() + 1:
        return Layout("\t")
    return Layout(" ", "Any run of tabs and spaces was read as one separator.")


def _commas(lines: TableLines) -> Layout:
    """Return the layout of lines without other separators than commas.

    Lines that hold nothing but digits, a sign, an exponent and at most one comma are ambiguous.
    They are one column of decimal commas if one of them cannot be two integers (`1,05`, `-0,5`) or
    a single name stands above them, and two columns if two names do. Else the ending decides: two
    columns in a .csv file, whose name says that commas separate, one in .tsv and .txt files.
    """
    first = lines.texts[0]
    has_header = not _DIGITS.fullmatch(first)
    rows = [_DIGITS.fullmatch(line) for line in lines.texts[has_header:]]
    pairs = [row.groups() for row in rows if row and row[2]]
    if not pairs or not all(rows):
        return Layout(",")
    if has_header:
        return Layout("," if "," in _QUOTED.sub("", first) or is_number(first) else ";")
    if any(whole == "-0" or (len(part) > 1 and part[0] == "0") for whole, part in pairs):
        return Layout(";")
    if lines.ending == ".csv":
        return Layout(
            ",",
            "Each line has one comma, which was read as the separator of two columns, as the "
            "ending .csv says; if it is a decimal comma (1,5 for 1.5), rename the file to .txt.",
        )
    return Layout(
        ";",
        "Commas were read as decimal commas (1,5 as 1.5), since no line has more than one; if they "
        "separate two columns, rename the file to .csv.",
    )


def _single_spaces(line: str) -> str:
    line = line.replace("\t", " ")
    while "  " in line:
        line = line.replace("  ", " ")
    return line.strip(" ")
