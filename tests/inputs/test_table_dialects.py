"""Round trips: an array is written in a dialect and read as it was."""

from collections.abc import Callable

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explorer.errors import InputError
from explorer.inputs import read_upload
from explorer.inputs.tables import read_table
from tests.files import table

FLOATS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.floats(allow_nan=False, allow_infinity=False),
)


def as_frame(x: np.ndarray, **options: object) -> bytes:
    return pd.DataFrame(x).to_csv(**options).encode()


def as_named_frame(x: np.ndarray, **options: object) -> bytes:
    frame = pd.DataFrame(x).rename(index="row {}".format).rename(columns="größe {}".format)
    return frame.to_csv(**options).encode("cp1252")


DIALECTS: dict[str, Callable[[np.ndarray], bytes]] = {
    "savetxt": table,
    "savetxt with tabs and a header": lambda x: table(x, delimiter="\t", header="a\nb"),
    "savetxt, aligned": lambda x: table(x, fmt="%30.17e"),
    "savetxt with commas": lambda x: table(x, fmt="%.17e", delimiter=", "),
    "pandas": as_frame,
    "pandas with tabs": lambda x: as_frame(x, sep="\t"),
    "pandas, German": lambda x: as_frame(x, sep=";", decimal=",", lineterminator="\r\n"),
    "pandas, quoted": lambda x: as_frame(x, quoting=1, index_label="index"),
    "pandas, names": as_named_frame,
    "pandas, quoted names": lambda x: as_named_frame(x, quoting=2, index_label=False),
    "pandas, names and spaces": lambda x: as_named_frame(x, sep=" ", index_label="name"),
    "pandas, German names": lambda x: as_named_frame(x, sep=";", decimal=",", index=False),
    "sep=;": lambda x: b"sep=;\r\n" + table(x, fmt="%.17e", delimiter=";").replace(b".", b","),
    "commas at the end": lambda x: table(x, fmt="%.17e,", delimiter=""),
    "UTF-16": lambda x: "\n".join(";".join(map(repr, map(float, row))) for row in x).encode(
        "utf-16"
    ),
}


@pytest.mark.parametrize("write", DIALECTS.values(), ids=DIALECTS)
@settings(max_examples=20, deadline=None)
@given(x=FLOATS)
def test_what_was_written_is_read(write: Callable[[np.ndarray], bytes], x: np.ndarray) -> None:
    values, _ = read_table(write(x), ".csv")
    np.testing.assert_array_equal(values, x)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(st.one_of(st.characters(), st.sampled_from('0123456789,.;-e\n\t "#='))),
    encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_any_text_is_read_or_refused(text: str, encoding: str) -> None:
    errors = "replace" if encoding == "latin-1" else "surrogatepass"
    try:
        x = read_upload("a.csv", text.encode(encoding, errors))
    except InputError:
        return
    assert np.isfinite(x).all()
