"""Whether printed numbers agree with each other as printed.

A line whose terms do not give its result digit by digit says "(rounded)". `addsUp` of
linked_figure/format.js is the same rule in the browser.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite, prod

ROUNDED = "(rounded)"


def adds_up(terms: Sequence[str], total: str) -> bool:
    """Return whether the sum of printed numbers is exactly the printed total.

    True where one of them is not finite.
    """
    values = _exact([*terms, total])
    return values is None or sum(values[:-1]) == values[-1]


def multiplies_out(factors: Sequence[str], product: str) -> bool:
    """Return whether the product of printed numbers is exactly the printed one.

    True where one of them is not finite.
    """
    values = _exact([*factors, product])
    return values is None or prod(values[:-1]) == values[-1]


def _exact(texts: Sequence[str]) -> list[Fraction] | None:
    """Return the numbers of texts such as "−1.23e−05"; None where one is not finite."""
    plain = [text.replace("−", "-") for text in texts]
    if not all(isfinite(float(text)) for text in plain):
        return None
    return [Fraction(text) for text in plain]
