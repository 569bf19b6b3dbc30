"""Tables of the corpus: valid, damaged and malicious."""

import numpy as np

from tests.hostile.case import Case, read, shaped


def rows(count: int, row: bytes) -> bytes:
    """Return a table with this row several times."""
    return b"\n".join([row] * count)


TABLES = {
    "csv": read("a.csv", lambda: b"1,2\n3,4", np.array([[1, 2], [3, 4]])),
    "csv with BOM": read("a.csv", lambda: b"\xef\xbb\xbf1,2\n3,4", np.array([[1, 2], [3, 4]])),
    "csv with \\r": read("a.csv", lambda: b"1;2\r3;4\r", np.array([[1, 2], [3, 4]])),
    "csv with \\r\\n": read("a.csv", lambda: b"1\t2\r\n3\t4\r\n", np.array([[1, 2], [3, 4]])),
    "csv with blanks": read("a.csv", lambda: b" 1 , 2\n\n3,4e0\n\n", np.array([[1, 2], [3, 4]])),
    "csv of 1e-400": read("a.csv", lambda: b"1e-400", np.zeros((1, 1))),
    "csv of 1,000 × 1,000": shaped(
        "a.csv", lambda: b"\n".join([b",".join([b"-0.123456789"] * 1000)] * 1000), 1000, 1000, 1
    ),
    "csv of 2,048 × 2,048": shaped(
        "a.csv", lambda: b"\n".join([b",".join([b"1"] * 2048)] * 2048), 2048, 2048, 1
    ),
    "csv of 1e400": Case("a.csv", lambda: b"1e400,-1e400", "2 infinite"),
    "csv of 5,000 digits": Case("a.csv", lambda: b"9" * 5000, "beyond float32"),
    "csv of nan": Case("a.csv", lambda: b"1,nan", "1 NaN"),
    "ragged csv": Case("a.csv", lambda: b"1,2\n3", "Row 1 .* has length 1"),
    "formula": Case("a.csv", lambda: b"=1+1,2", "row 0, column 0"),
    "dangerous formula": Case("a.csv", lambda: b"1,=cmd|' /C calc'!A0", "row 0, column 1"),
    "csv with NUL": Case("a.csv", lambda: b"1,\x002", "Line 1 .* NUL character"),
    "csv of NUL": Case("a.csv", lambda: bytes(1000), "Line 1 .* NUL character"),
    "csv of 16 MB of NUL": Case("a.csv", lambda: bytes(16_000_000), "characters; the limit"),
    "csv in UTF-16": read("a.csv", lambda: "1,2".encode("utf-16"), np.array([[1, 2]])),
    "csv with other digits": Case("a.csv", lambda: "١,٢".encode(), 'row 0, column 0 .* is "١"'),
    "csv with a header": read("a.csv", lambda: b"a,b\n1,2", np.array([[1, 2]])),
    "csv with 1_000": Case("a.csv", lambda: b"1_000", "row 0, column 0"),
    "csv with 0x10": Case("a.csv", lambda: b"0x10", "row 0, column 0"),
    "csv of HTML": Case("a.csv", lambda: b"<script>alert(1)</script>", "row 0, column 0"),
    "csv of commas": Case("a.csv", lambda: b"," * 100_000, "expected"),
    "csv of 10 million lines": Case("a.csv", lambda: b"\n" * 10**7, "10,000,000 line ends"),
    "csv of one line": Case("a.csv", lambda: b"1" * 10**7, "10,000,000 characters"),
    "csv of 17 MB": Case("a.csv", lambda: b"1,2\n" * 4_250_000, "is 17 MB; the limit is 16 MB"),
    "csv of 2,049 rows": Case("a.csv", lambda: b"1\n" * 2049, "shape 2049×1×1"),
    "csv of bad cells": Case(
        "a.csv",
        lambda: b"\n".join([b",".join([b"1"] * 2048)] * 2047 + [b"x," * 2047 + b"x"]),
        "not a number",
    ),
    "csv of blanks": Case("a.csv", lambda: b"\n \n", "is blank"),
    # Large tables in each dialect.
    "spaces, 2,048 × 2,048": shaped(
        "a.txt", lambda: rows(2048, b" ".join([b"1"] * 2048)), 2048, 2048, 1
    ),
    "runs of white space": shaped(
        "a.txt", lambda: rows(900, b" \t    ".join([b"0.25"] * 1700)), 900, 1700, 1
    ),
    "UTF-16, 1,990 × 1,990": shaped(
        "a.csv",
        lambda: rows(1990, b",".join([b"1"] * 1990)).decode().encode("utf-16"),
        1990,
        1990,
        1,
    ),
    "quoted, 1,990 × 1,990": shaped(
        "a.csv", lambda: rows(1990, b",".join([b'"1"'] * 1990)), 1990, 1990, 1
    ),
    "decimal commas, 1,990 × 1,990": shaped(
        "a.csv", lambda: rows(1990, b";".join([b"1,5"] * 1990)), 1990, 1990, 1
    ),
    "digits, 16 MB": shaped(
        "a.csv", lambda: rows(1000, b",".join([b"-1.2345678901234e-05"] * 760)), 1000, 760, 1
    ),
    "header, row names and last comma, 2,048 × 2,048": shaped(
        "a.csv",
        lambda: b"\n".join([b"," + b"name," * 2048, *[b"row," + b"1," * 2048] * 2048]),
        2048,
        2048,
        1,
    ),
    "8,000 comments": read("a.csv", lambda: b"# 1,2\n" * 8000 + b"1;2", np.array([[1, 2]])),
    "10,000 comments": Case("a.csv", lambda: b"#\n" * 10_000 + b"1;2", "10,000 line ends"),
    "16 MB of comments": read(
        "a.csv", lambda: (b"#" * 130_000 + b"\n") * 123 + b"1;2", np.array([[1, 2]])
    ),
    "comment signs behind numbers": shaped(
        "a.csv", lambda: (b"1;2" + b"#" * 100_000 + b"\n") * 159, 159, 2, 1
    ),
    # Damaged and malicious encodings.
    "UTF-16 of odd length": Case(
        "a.csv", lambda: "1;2\n3;4".encode("utf-16") + b"\0", "byte 16 of 17"
    ),
    "UTF-16 mark alone": Case("a.csv", lambda: b"\xff\xfe", "is blank"),
    "UTF-16, half a pair": Case("a.csv", lambda: b"\xff\xfe\x00\xdc", "byte 2 of 4"),
    "UTF-16 of two orders": Case(
        "a.csv", lambda: b"\xfe\xff" + "1;2".encode("utf-16-le"), "not a number|quotation"
    ),
    "UTF-16 bomb of three-byte signs": Case(
        "a.csv", lambda: ("\u4e00" * 7_990_000).encode("utf-16"), "characters; the limit"
    ),
    "UTF-16 bomb of four-byte signs": Case(
        "a.csv", lambda: ("💥" * 3_990_000).encode("utf-16"), "characters; the limit"
    ),
    "UTF-16 bomb of mixed signs": Case(
        "a.csv", lambda: ("💥" + "\u4e00\r" * 3_990_000).encode("utf-16"), "line ends"
    ),
    "UTF-16 bomb of line ends": Case(
        "a.csv", lambda: ("\r\n" * 3_990_000).encode("utf-16"), "line ends"
    ),
    "UTF-16 with byte 10 in each sign": Case(
        "a.csv", lambda: ("\u0a0a" * 20_000).encode("utf-16"), 'is "' + "\u0a0a" * 29 + "…"
    ),
    "UTF-32": Case("a.csv", lambda: "1;2".encode("utf-32"), "NUL character"),
    "invalid UTF-8": Case("a.csv", lambda: b"1;\xff\xfe\x81", 'is "ÿþ�"'),
    "escape sequences": Case("a.csv", lambda: "1;\x1b[2J\u202e\u2028".encode(), r'is "\?\[2J\?\?"'),
    "Markdown": Case(
        "a.csv", lambda: b"1;[a](http://x.example)", r'is "\[a\]\(http://x.example\)"'
    ),
    "other blanks": Case("a.csv", lambda: "1;2\xa0000".encode(), "not a number"),
    # Quotes and separators.
    "quote never closed": Case(
        "a.csv", lambda: b'1,2\n"3,4\n' + b"5,6\n" * 2000, "Row 1 .* not closed"
    ),
    "quote never closed, 16 MB": Case(
        "a.csv", lambda: b'"' + rows(2000, b"1," * 3_990), "Row 0 .* not closed"
    ),
    "one enormous quoted cell": Case(
        "a.csv", lambda: b'"' + rows(122, b"1" * 130_000) + b'"', "Row 0 .* not closed"
    ),
    "one quoted cell of 8,000 lines": Case(
        "a.csv", lambda: b'"' + rows(8000, b"1") + b'"', "shape 8000×1×1|not a number"
    ),
    "quotes alone": Case("a.csv", lambda: rows(120, b'"' * 130_000), "not a number|is empty"),
    "open quotes in each cell": Case("a.csv", lambda: b'"a,' * 40_000, "quotation mark"),
    "sep= a control character": Case(
        "a.csv", lambda: b"sep=\x07\n1\x072", r'is "sep=\?"; expected'
    ),
    "sep= an escape sequence": Case(
        "a.csv", lambda: b"sep=\x1b[31m\n1", r'is "sep=\?\[31m"; expected'
    ),
    "sep= a quote": Case("a.csv", lambda: b'sep="\n1', "expected sep="),
    "sep= a digit": Case("a.csv", lambda: b"sep=1\n21", "expected sep="),
    "sep= 100,000 characters": Case("a.csv", lambda: b"sep=" + b";" * 100_000, "expected sep="),
    "sep= alone": Case("a.csv", lambda: b"sep=;", "is blank"),
    # Shapes.
    "header of 100,000 names": Case(
        "a.csv", lambda: b"a," * 100_000 + b"\n1,2", "200,000 characters"
    ),
    "header of 60,000 names": Case(
        "a.csv", lambda: b"a," * 60_000 + b"\n1,2", "has length 2, row 0 has"
    ),
    "header with 130,000 empty names": shaped(
        "a.csv", lambda: b"a,b" + b"," * 130_000 + b"\n1,2", 1, 2, 1
    ),
    "60,000 columns below a header": Case(
        "a.csv", lambda: b"a," * 60_000 + b"\n" + b"1," * 60_000, "shape 1×60001×1"
    ),
    "16 MB of empty cells": Case(
        "a.csv", lambda: rows(122, b"1" + b"," * 131_000), "shape 122×131001×1"
    ),
    "2,047 empty columns": shaped("a.csv", lambda: rows(2048, b"," * 2047 + b"1"), 2048, 1, 1),
    "2,049 rows below a header": Case("a.csv", lambda: b"a\n" + b"1\n" * 2049, "shape 2049×1×1"),
    "rows that grow": Case(
        "a.csv", lambda: b"\n".join(b"1," * n + b"1" for n in range(2000)), "has length 2, row 0"
    ),
    "cells of 130,000 digits": Case("a.csv", lambda: rows(122, b"9" * 130_000), "122 infinite"),
    "cells of 130,000 decimals": shaped(
        "a.csv", lambda: rows(122, b"0." + b"1" * 130_000), 122, 1, 1
    ),
    "line of signs": Case("a.csv", lambda: rows(120, b"-" * 130_000), "not a number"),
    "line of digits and a letter": Case(
        "a.csv", lambda: rows(120, b"1" * 130_000 + b"x"), "not a number"
    ),
    "line of blanks and a letter": Case(
        "a.csv", lambda: rows(120, b" " * 130_000 + b"x"), "not a number"
    ),
    "line of tabs": Case(
        "a.csv", lambda: rows(120, b"1" + b"\t" * 130_000 + b"x"), "shape|not a number"
    ),
    "words": Case(
        "a.txt", lambda: rows(2000, b"lorem ipsum dolor sit amet"), 'row 1, column 1 .* is "ipsum"'
    ),
    "numbering": shaped(
        "a.csv",
        lambda: b"\n".join(
            b",".join(b"%d" % (r * 5 + c) if r * c == 0 else b"7" for c in range(2000))
            for r in range(2000)
        ),
        1999,
        2000,
        1,
    ),
}
