"""Lines of a table's file: limits, encoding, comments and Excel's `sep=` line."""

import codecs
import re
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.inputs.limits import MAX_CSV_BYTES, MAX_SIDE, format_megabytes

MAX_LINE_ENDS = 4 * MAX_SIDE  # \r\n counts as two; blank lines and comments count too
MAX_LINE_LENGTH = 64 * MAX_SIDE
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "white space"}

_SEPARATOR_LINE = re.compile(r'"?sep=(.?)"?\s*', re.IGNORECASE)
_COMMENT_AFTER_NUMBERS = re.compile(r'(\s*[-+.\d][^#"]*)#.*')


@dataclass(frozen=True)
class TableLines:
    """The lines of a table that are neither blank nor comments.

    Attributes:
        ending: the file's, for messages: ".csv", ".tsv" or ".txt".
        texts: the lines, one character per byte, so that names may have any encoding.
        numbers: their numbers in the file, counted from 1.
        separator: that of a first line such as `sep=;`; else None.
        comments: the number of comments that were skipped.
    """

    ending: str
    texts: list[str]
    numbers: list[int]
    separator: str | None
    comments: int

    def cell_error(self, row: int, col: int, cell: str) -> InputError:
        """Return an error for a cell that is not a number."""
        found = f'is "{printable(cell)}", not a number' if cell.strip() else "is empty"
        return InputError(
            f"The cell at row {row}, column {col} of the {self.ending} file (counted from 0; line "
            f"{self.numbers[row]}) {found}; expected numbers such as 1, -2.5 or 3e-4; only the "
            "first row and the first column may be names."
        )


def read_lines(data: bytes, ending: str) -> TableLines:
    """Return the lines of a table's file.

    Raises:
        InputError: the file exceeds a limit, is not text, or has no line but comments.
    """
    if len(data) > MAX_CSV_BYTES:
        raise InputError(
            f"The {ending} file is {format_megabytes(len(data))}; the limit is "
            f"{format_megabytes(MAX_CSV_BYTES)}. Save the array as .npy instead."
        )
    text = _decoded(data, ending)
    ends = text.count("\n") + text.count("\r")
    if ends > MAX_LINE_ENDS:
        raise InputError(
            f"The {ending} file has {ends:,} line ends; the limit is {MAX_LINE_ENDS:,}."
        )
    text = text.replace("\r\n", "\n")
    text = text.replace("\r", "\n")
    if (position := text.find("\0")) >= 0:
        raise InputError(
            f"Line {text.count(chr(10), 0, position) + 1} of the {ending} file has a NUL "
            "character, so it is not text; expected UTF-8, or UTF-16 with a byte order mark."
        )
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_LENGTH:
            raise InputError(
                f"Line {number} of the {ending} file has {len(line):,} characters; the limit is "
                f"{MAX_LINE_LENGTH:,}."
            )
    separator = _separator(lines[0], ending)
    if separator is not None:
        lines[0] = ""
    return _without_comments(ending, lines, separator)


def printable(cell: str) -> str:
    """Return a cell for a message: at most 30 characters, "?" for those that cannot be shown."""
    data = cell.strip()[:120].encode("latin-1")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    text = "".join(sign if sign.isprintable() else "?" for sign in text)
    return text if len(text) <= 30 else text[:29] + "…"


def _decoded(data: bytes, ending: str) -> str:
    """Return the file's text with one character per byte of UTF-8 or of an 8-bit encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            data = data.decode("utf-16").encode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"The {ending} file starts as UTF-16 text but byte {error.start:,} of "
                f"{len(data):,} cannot be decoded; expected UTF-16 throughout, or UTF-8."
            ) from None
    return data.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _separator(line: str, ending: str) -> str | None:
    """Return the separator that Excel's first line, such as `sep=;`, names; else None."""
    if not line.lstrip('"').lower().startswith("sep="):
        return None
    match = _SEPARATOR_LINE.fullmatch(line)
    if match and match[1] in SEPARATORS:
        return match[1]
    raise InputError(
        f'Line 1 of the {ending} file is "{printable(line)}"; expected sep= with a comma, a '
        "semicolon, a tab or a space."
    )


def _without_comments(ending: str, lines: list[str], separator: str | None) -> TableLines:
    texts, numbers, comments = [], [], 0
    for number, line in enumerate(lines, start=1):
        if "#" in line:
            if line.lstrip().startswith("#"):
                comments += 1
                continue
            if match := _COMMENT_AFTER_NUMBERS.fullmatch(line):
                line = match[1]
                comments += 1
        if line.strip():
            texts.append(line)
            numbers.append(number)
    if not texts:
        only = "has only comments" if comments else "is blank"
        raise InputError(f"The {ending} file {only}; expected rows of numbers.")
    return TableLines(ending, texts, numbers, separator, comments)
