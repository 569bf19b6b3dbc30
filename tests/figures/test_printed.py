"""Every printed sum and product either holds as printed, or says that it is rounded."""

from fractions import Fraction
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.pixel import Activation, Arithmetic, Cell, Product, Sum
from explorer.figures.pixel import equation
from explorer.figures.printed import ROUNDED, adds_up, multiplies_out

FLOAT32 = st.floats(width=32)
ORDINARY = st.integers(-20_000, 20_000).map(lambda n: float(np.float32(n / 4096)))
VALUES = FLOAT32 | ORDINARY
CELL = Cell("add", 0, 0, 0)


def printed(text: str) -> Fraction:
    return Fraction(text.strip(" ()").replace("−", "-"))


def parts(found: Arithmetic, sign: str) -> tuple[list[Fraction], Fraction, bool]:
    """Return the printed terms, the printed value, and whether the line says rounded."""
    _, terms, value = equation(found)
    value, _, end = value.removeprefix("<b>= ").partition("</b>")
    assert end in ("", f" {ROUNDED}")
    return (
        [printed(part) for part in terms.split(" = ")[-1].removeprefix("= ").split(sign)],
        (printed(value)),
        bool(end),
    )


@given(VALUES, VALUES)
def test_a_sum_adds_up_as_printed_or_says_rounded(one: float, other: float) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.float32(one) + np.float32(other))
    found = Sum(CELL, total, total, one, other, "x")
    if not all(map(isfinite, (one, other, total))):
        assert ROUNDED not in equation(found)[-1]
        return
    terms, value, is_rounded = parts(found, " + ")
    assert is_rounded == (sum(terms) != value)


@given(VALUES.filter(isfinite), st.sampled_from([0.1, 0.5, 1.0, -0.3, 2.0]))
def test_a_product_holds_as_printed_or_says_rounded(v: float, factor: float) -> None:
    value = factor * v
    (one, other), product, is_rounded = parts(
        Product(CELL, value, value, "relu1", v, factor), " · "
    )
    assert is_rounded == (one * other != product)


@given(FLOAT32)
def test_a_relu_prints_the_same_number_twice(v: float) -> None:
    found = Activation(CELL, max(v, 0.0), max(v, 0.0), "bn1", v, "ReLU")
    assert ROUNDED not in equation(found)[-1]


@pytest.mark.parametrize(
    ("terms", "total", "holds"),
    [
        (["0.818", "1.622"], "2.439", False),
        (["0.818", "1.622"], "2.440", True),
        (["−0.818", "1.622"], "0.804", True),
        (["1.23e−05", "0.100"], "0.100", False),
        (["3.4e+38", "1.0e−38"], "3.4e+38", False),
        (["3.4e+38", "0.000"], "3.4e+38", True),
        (["inf", "−inf"], "nan", True),
        (["33", "33", "33"], "100", False),
    ],
)
def test_sums_are_compared_as_printed(terms: list[str], total: str, holds: bool) -> None:
    assert adds_up(terms, total) == holds


def test_products_are_compared_as_printed() -> None:
    assert multiplies_out(["0.5000", "2.440"], "1.220")
    assert not multiplies_out(["0.3333", "3.000"], "1.000")
