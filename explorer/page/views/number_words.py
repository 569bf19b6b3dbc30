"""Numbers as sentences on the page print them."""

import numpy as np

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_text(value: float, digits: int) -> str:
    """Return a number with `digits` decimal places, or a dash if it is not finite."""
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def power_text(value: float) -> str:
    """Return a number with three digits, with a power of ten if it is small or large."""
    if not np.isfinite(value):
        return "–"
    digits, exponent = f"{value:.2e}".split("e")
    if value == 0 or -3 <= int(exponent) < 3:
        return f"{value:.3g}"
    return f"{float(digits):g}·10{str(int(exponent)).translate(_RAISED)}"
