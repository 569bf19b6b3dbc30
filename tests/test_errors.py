import numpy as np
import pytest

from explorer.errors import InputError, check_integer, describe


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), ("a", "'a'"), (2**200, "an integer of 201 bits"), ("x" * 99, "'" + "x" * 38 + "…")],
)
def test_describe_is_short(value: object, text: str) -> None:
    assert describe(value) == text


@pytest.mark.parametrize("value", [2, 2.0, np.float16(2), np.uint8(2)])
def test_integral_values_become_ints(value: object) -> None:
    integer = check_integer("n", value, 0, 3)
    assert integer == 2
    assert type(integer) is int


@pytest.mark.parametrize(
    "value", [-1, 4, 2.5, np.nan, np.inf, "2", None, [2], [[1], [1, 2]], 1j, 2**70]
)
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="n must be an integer from 0 to 3, got "):
        check_integer("n", value, 0, 3)
