import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from explorer.errors import InputError
from explorer.inputs import decode_upload
from explorer.inputs.tables import read_table
from tests.files import table

TWO = [[1.0, 2.0], [3.0, 4.0]]
DECIMALS = [[0.5, 2.0], [3.0, 4.25]]
FRAME = pd.DataFrame(DECIMALS)
NAMED = pd.DataFrame(DECIMALS, columns=["left", "right"])

HEADER = "The first row was skipped as a header: it has names instead of numbers."
NUMBERED_HEADER = "The first row was skipped as a header: it numbers the columns."
NAMES = "The first column was skipped: it has names instead of numbers."
INDEX = "The first column was skipped as row names, since {}; if these are values, save the array "
INDEX += "as .npy."
UNNAMED = INDEX.format("its name is empty")
SHORT_HEADER = INDEX.format("the header has one cell fewer than the rows")
NUMBERED_AFTER = INDEX.format("the header numbers the columns after it")
NUMBERING = "The first {} (0, 1, 2, …) was skipped, since it numbers the {}; if these are values, "
NUMBERING += "save the array as .npy."
ROW, COLUMN = NUMBERING.format("row", "columns"), NUMBERING.format("column", "rows")
COUNTS_ON = "The first {0} counts 0, 1, 2, … but was read as values, since the next {0} goes on "
COUNTS_ON += "counting; if it numbers the {1}, remove it from the file."
BOTH_COUNT = (
    "The first row and the first column count 0, 1, 2, … but were read as values, since both do; "
    "if they number columns and rows, remove them from the file."
)
SINGLE = "The first {} is 0 and was read as a value; if it numbers the {}, remove it from the file."
EMPTY = "1 column was skipped, since no row has a value there."
COMMA = (
    "Commas in numbers were read as decimal commas (1,5 as 1.5); if they separate thousands, save "
    "the table without them."
)
TWO_COLUMNS = (
    "Each line has one comma, which was read as the separator of two columns, as the ending .csv "
    "says; if it is a decimal comma (1,5 for 1.5), rename the file to .txt."
)
ONE_COLUMN = (
    "Commas were read as decimal commas (1,5 as 1.5), since no line has more than one; if they "
    "separate two columns, rename the file to .csv."
)
RUNS = "Any run of tabs and spaces was read as one separator."
SEP = "The first line was skipped: it names the separator (sep=)."


def comments(count: int) -> str:
    what = "1 comment was" if count == 1 else f"{count} comments were"
    return f"{what} skipped (text after #)."


def check(data: bytes | str, ending: str, values: object, *notes: str) -> None:
    """Assert that a table is read with these values and notes."""
    found, said = read_table(data.encode() if isinstance(data, str) else data, ending)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.array(values))
    assert said == notes


@pytest.mark.parametrize(
    "data",
    [
        "1,2.0\n3,4",
        "1;2\r\n3;4\r\n",
        "1;2\r3;4\r",
        "\ufeff1\t2\n\n3\t4\n",
        " 1 , 2\n3,4e0",
        "1 2\n3 4",
        "  1   2\n  3   4  ",
        "1, 2\n3, 4",
        '"1","2"\n"3","4.0"',
        '"1" "2"\n"3" "4"',
        '"1";2\n3;"4"',
        "1;2\n3;4".encode("utf-16"),
        "1;2\n3;4".encode("utf-16-be").join([b"\xfe\xff", b""]),
        table(TWO),
        table(TWO, delimiter=","),
        table(TWO, delimiter="\t"),
        table(TWO, delimiter=";", newline="\r\n"),
        table(TWO, fmt="%6.1f"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt"])
def test_unambiguous_tables_are_read_without_a_note(data: bytes | str, ending: str) -> None:
    check(data, ending, TWO)


NOTED: dict[str, tuple[bytes | str, object, tuple[str, ...]]] = {
    "header": ("a,b\n1,2\n3,4", TWO, (HEADER,)),
    "header in UTF-8": ("Höhe;日本\n1;2\n3;4", TWO, (HEADER,)),
    "header in cp1252": ("Größe €;à la\n1;2\n3;4".encode("cp1252"), TWO, (HEADER,)),
    "header in UTF-16": ("Größe;💥\n1;2\n3;4".encode("utf-16"), TWO, (HEADER,)),
    "header with empty cells": ("a,,c\n1,2,3\n4,5,6", [[1, 2, 3], [4, 5, 6]], (HEADER,)),
    "header with separators": ('"a;b","c, ""d"""\n1,2\n3,4', TWO, (HEADER,)),
    "header of two lines in quotes": ('"a\nunit",b\n1,2\n3,4', TWO, (HEADER,)),
    "header above one column": ("Temperature in C\n1\n2", [[1], [2]], (HEADER,)),
    "header above spaces": ("a b\n1   2\n3 4", TWO, (HEADER,)),
    "header above tabs": ("first name\tb\n1\t2\n3\t4", TWO, (HEADER,)),
    "header above one row": ("a,b\n1,2", [[1, 2]], (HEADER,)),
    "R, quoted header": ('"V1","V2"\n1,2\n3,4', TWO, (HEADER,)),
    "R, write.csv": ('"","V1","V2"\n"1",1,2\n"2",3,4', TWO, (HEADER, UNNAMED)),
    "R, write.csv2": ('"";"V1";"V2"\n"1";0,5;2\n"2";3;4,25', DECIMALS, (HEADER, UNNAMED, COMMA)),
    "R, write.table": ('"V1" "V2"\n"1" 1 2\n"2" 3 4', TWO, (HEADER, SHORT_HEADER)),
    "R, names of rows": ('"a","b"\n"row 1",1,2\n"row 2",3,4', TWO, (HEADER, SHORT_HEADER)),
    "R, write.table with tabs": ('"V1"\t"V2"\n"1"\t1\t2\n"2"\t3\t4', TWO, (HEADER, SHORT_HEADER)),
    "names of rows": ("name,a,b\nfoo,1,2\nbar,3,4", TWO, (HEADER, NAMES)),
    "names of rows without a header": ("foo,1,2\nbar,3,4", TWO, (NAMES,)),
    "times": ("t,a\n2020-01-01 10:00,1\n2020-01-01 11:00,2", [[1], [2]], (HEADER, NAMES)),
    "decimal commas and semicolons": ("0,5;2\n3;4,25", DECIMALS, (COMMA,)),
    "decimal commas and tabs": ("0,5\t2\n3\t4,25", DECIMALS, (COMMA,)),
    "decimal commas and spaces": ("0,5 2\n3 4,25", DECIMALS, (COMMA,)),
    "decimal commas in quotes": ('"0,5","2"\n"3","4,25"', DECIMALS, (COMMA,)),
    "decimal commas, exponents": ("-1,5E+01;,5", [[-15, 0.5]], (COMMA,)),
    "perhaps thousands": ("1,234;5,678", [[1.234, 5.678]], (COMMA,)),
    "comma at the end": ("1,2,\n3,4,", TWO, (EMPTY,)),
    "comma at the end, header": ("a,b,\n1,2,\n3,4,", TWO, (HEADER, EMPTY)),
    "comma at the end below a header": ("a,b\n1,2,\n3,4,", TWO, (HEADER, EMPTY)),
    "comma at the end of a header": ("a,b,\n1,2.0\n3,4", TWO, (HEADER,)),
    "two empty columns": (
        ";1;;2\n;3;;4",
        TWO,
        ("2 columns were skipped, since no row has a value there.",),
    ),
    "several tabs": ("1\t\t2\n3\t\t4", TWO, (EMPTY,)),
    "runs of tabs": ("1\t\t2\n3\t4", TWO, (RUNS,)),
    "tabs and spaces": ("1 \t 2\n3  4", TWO, (RUNS,)),
    "sep=;": ("sep=;\r\n1;2\r\n3;4", TWO, (SEP,)),
    "sep=; above one column": ("sep=;\n1,5\n2,5", [[1.5], [2.5]], (SEP, COMMA)),
    "sep=, above two columns": ("SEP=,\n1,5\n2,5", [[1, 5], [2, 5]], (SEP,)),
    "sep= a tab": ("\ufeffsep=\t\na\tb\n1\t2\n3\t4", TWO, (SEP, HEADER)),
    "sep=; quoted": ('"sep=;"\n1;2\n3;4', TWO, (SEP,)),
    "comments": ("# made today\n1;2 # first\n#\n3;4", TWO, (comments(3),)),
    "comment with a quote": ('#"\n1;2\n3;4', TWO, (comments(1),)),
    "number sign in a header": ("a,b#\n1,2\n3,4", TWO, (HEADER,)),
    "header of savetxt": (table(TWO, header="a b"), TWO, (comments(1),)),
    "pandas": (FRAME.to_csv(), DECIMALS, (NUMBERED_HEADER, UNNAMED)),
    "pandas, one column": (FRAME[[0]].to_csv(), [[0.5], [3]], (NUMBERED_HEADER, UNNAMED)),
    "pandas without index": (
        pd.DataFrame([[7.5, 8, 9]]).to_csv(index=False),
        [[7.5, 8, 9]],
        (ROW,),
    ),
    "pandas without header": (
        pd.DataFrame([[7.5, 8], [9, 6]]).to_csv(header=False),
        [[7.5, 8], [9, 6]],
        (COLUMN,),
    ),
    "pandas, named": (NAMED.to_csv(), DECIMALS, (HEADER, UNNAMED)),
    "pandas, named index": (
        FRAME.to_csv(index_label="id"),
        DECIMALS,
        (NUMBERED_HEADER, NUMBERED_AFTER),
    ),
    "pandas, all named": (NAMED.to_csv(index_label="id"), DECIMALS, (HEADER, COLUMN)),
    "pandas, no corner": (
        FRAME.to_csv(index_label=False),
        DECIMALS,
        (NUMBERED_HEADER, SHORT_HEADER),
    ),
    "pandas, quoted": (FRAME.to_csv(quoting=1), DECIMALS, (NUMBERED_HEADER, UNNAMED)),
    "pandas, German": (
        FRAME.to_csv(sep=";", decimal=","),
        DECIMALS,
        (NUMBERED_HEADER, UNNAMED, COMMA),
    ),
    "pandas, chosen rows": (",a,b\n5,1,2\n9,3,4", TWO, (HEADER, UNNAMED)),
    "a ramp": ("0,1,2\n3,4,5", [[0, 1, 2], [3, 4, 5]], (COUNTS_ON.format("row", "columns"),)),
    "a ramp downwards": (
        "0;3\n1;4\n2;5",
        [[0, 3], [1, 4], [2, 5]],
        (COUNTS_ON.format("column", "rows"),),
    ),
    "distances": ("0 1 2\n1 0 1\n2 1 0", [[0, 1, 2], [1, 0, 1], [2, 1, 0]], (BOTH_COUNT,)),
    "one column from 0": ("0\n0.5\n7", [[0], [0.5], [7]], (SINGLE.format("row", "columns"),)),
    "one row from 0": ("0;5;7", [[0, 5, 7]], (SINGLE.format("column", "rows"),)),
    "one row that counts": ("0;1;2", [[0, 1, 2]], (SINGLE.format("column", "rows"),)),
    "column that counts alone": ("a\n0\n1\n2", [[0], [1], [2]], (HEADER,)),
    "two columns or decimals": ("1,5\n2,5", [[1, 5], [2, 5]], (TWO_COLUMNS,)),
    "two columns or decimals, one line": ("1,2", [[1, 2]], (TWO_COLUMNS,)),
    "no two integers": ("1,05\n2,5", [[1.05], [2.5]], (COMMA,)),
    "no two integers, minus 0": ("-0,5\n2,5", [[-0.5], [2.5]], (COMMA,)),
    "no two integers, some whole": ("1,05\n2\n3", [[1.05], [2], [3]], (COMMA,)),
    "one name above decimals, exponents": ("U\n1,5e-3\n2e3", [[0.0015], [2000]], (HEADER, COMMA)),
    "one name above decimals": ("U\n1,5\n2,5", [[1.5], [2.5]], (HEADER, COMMA)),
    "two names above two columns": ("a,b\n1,5\n2,5", [[1, 5], [2, 5]], (HEADER,)),
}


@pytest.mark.parametrize(("data", "values", "notes"), NOTED.values(), ids=NOTED)
def test_what_was_skipped_or_assumed_is_said(
    data: bytes | str, values: object, notes: tuple[str, ...]
) -> None:
    check(data, ".csv", values, *notes)


@pytest.mark.parametrize("ending", [".tsv", ".txt"])
@pytest.mark.parametrize(
    ("data", "values"), [("1,5\n2,5", [[1.5], [2.5]]), ("1\n2\n2,5", [[1], [2], [2.5]])]
)
def test_one_comma_a_line_is_a_decimal_comma_under_other_endings(
    data: str, values: object, ending: str
) -> None:
    check(data, ending, values, ONE_COLUMN)


REFUSED: dict[str, tuple[bytes | str, str]] = {
    "word": ("1,2\n3,four", 'row 1, column 1 .* line 2\\) is "four", not a number'),
    "word below a header": ("#\n\na,b\n1,2\n3,x", 'row 2, column 1 .* line 5\\) is "x"'),
    "gap": ("1,2\n3,", r"row 1, column 1 .* line 2\) is empty"),
    "gap in the first row": ("1,,3\n4,5,6", r"row 0, column 1 .* is empty"),
    "gap between tabs": ("1\t\t3\n4\t5\t6", r"row 0, column 1 .* is empty"),
    "gap in the corner": (",1,2\n3,4,5", r"row 0, column 0 .* is empty"),
    "blank first row": (",,\n1,2,3", r"row 0, column 0 .* is empty"),
    "missing value of R": ("1,NA\n3,4", 'row 0, column 1 .* is "NA"'),
    "word in the corner": ("x,2\n3,4\n5,6", 'row 0, column 0 .* is "x"'),
    "number among names": ("a,1\nb,2\n3,4", 'row 0, column 0 .* is "a"'),
    "words in two columns": ("a,b,c\nx,y,1", 'row 1, column 1 .* is "y"'),
    "formula": ("1,=cmd|' /C calc'!A0", "column 1 .* is \"=cmd|' /C calc'!A0\""),
    "underscore": ("1_000", 'is "1_000"'),
    "hexadecimal": ("0x10", 'is "0x10"'),
    "other digits": ("1,\uff11", 'column 1 .* is "\uff11"'),
    "other digits as cp1252": (b"1,\xb2", 'column 1 .* is "²"'),
    "control characters": ("1,\x1b[31m\u202e", r'is "\?\[31m\?"'),
    "long cell": ("1," + "x" * 1000, f'is "{"x" * 29}…"'),
    "long cell of two-byte signs": ("1," + "é" * 1000, f'is "{"é" * 29}…"'),
    "digits of two lines in quotes": ('"1\n5",2', r'is "1\?5"'),
    "thousands": ("1;2,345,678", 'column 1 .* is "2,345,678"'),
    "thousands and decimals": ("1;2.345,6", 'column 1 .* is "2.345,6"'),
    "comma among points": (
        '"1,234","5.5"',
        'row 0, column 0 .* is "1,234" with a comma, while other cells have decimal points',
    ),
    "ragged": ("1,2\n3", r"Row 1 .* has length 1, row 0 has length 2 .* line 2; .* by commas"),
    "ragged, perhaps decimals": ("1,5\n2\n2,5", r"or decimal points instead of commas"),
    "ragged spaces": ("1 2\n3 4 5", "Row 1 .* has length 3, .* separated by white space"),
    "ragged, below a header": ("a,b\n1,2\n3,4,5", "Row 2 .* has length 3, row 1 has length 2"),
    "header of another length": ("a,b,c,d\n1,2", "Row 1 .* has length 2, row 0 has length 4"),
    "open quote": ('1,2\n"3,4\n5,6', r"Row 1 .* line 2\) has a quotation mark that is not closed"),
    "text behind a quote": ('1,2\n"3"x,4', "Row 1 .* or text after it"),
    "sep= a letter": ("sep=x\n1x2", 'Line 1 .* is "sep=x"; expected sep= with a comma'),
    "sep= nothing": ("sep=\n1", 'is "sep="'),
    "sep= a control character": ("sep=\x1b\n1", r'is "sep=\?"'),
    "blank": ("\n \n", "is blank"),
    "comments only": ("# 1\n", "has only comments"),
    "NUL": ("1,2\n3,\x00", "Line 2 .* has a NUL character"),
    "UTF-16 without a mark": ("1,2".encode("utf-16-le"), "NUL .* UTF-16 with a byte order mark"),
    "odd UTF-16": ("1,2".encode("utf-16")[:-1], "byte 6 of 7 cannot be decoded"),
    "half a pair in UTF-16": (b"\xff\xfe\x00\xd8", "byte 2 of 4 cannot be decoded"),
    "header alone": ("a,b", 'row 0, column 0 .* is "a"'),
    "names alone": ("a\nb\nc", 'row 1, column 0 .* is "b"'),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_show_the_place_and_the_cell(data: bytes | str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(data.encode() if isinstance(data, str) else data, ".csv")
    text = str(caught.value)
    assert text.isprintable()
    assert text.endswith(".")
    assert " .csv file" in text
    assert len(text) < 400
    assert "expected" in text


def test_messages_name_the_ending() -> None:
    with pytest.raises(InputError, match=r"Row 1 of the \.txt file has length 3"):
        read_table(b"1 2\n3 4 5", ".txt")
    with pytest.raises(InputError, match=r"The \.tsv file is blank"):
        read_table(b"", ".tsv")


@pytest.mark.parametrize("name", ["a.CSV", "a.tsv", "a.txt"])
def test_uploads_of_tables_have_their_notes(name: str) -> None:
    upload = decode_upload(name, b"a;b\n1;2\n3;4")
    assert upload.array.dtype == np.float32
    np.testing.assert_array_equal(upload.array[:, :, 0], TWO)
    assert not upload.is_image
    assert upload.notes == (HEADER,)
