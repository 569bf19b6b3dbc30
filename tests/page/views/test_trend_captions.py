"""The captions under the curves over depth, on curves made by hand."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from explorer.model.variants import V1
from explorer.page.views.trend_captions import number_text, trend_captions
from explorer.records import DepthRecord

NORM, SHARE, CORRELATION = "gradient norm", "branch share", "gradient correlation"
SMALL_STEP = 1e-6


def record(depth: int = 4, **columns: Sequence[float]) -> DepthRecord:
    """Return a record whose curves are 1 except in the columns given, a value for each run.

    `first_norm` and `last_norm` are the gradient norm at the first and the last block,
    `share` is the branch share at the last block, `correlation` that of the gradients at
    the first.
    """
    runs = len(next(iter(columns.values()), [1.0]))
    curves = {name: np.ones((runs, depth), np.float32) for name in (NORM, SHARE, CORRELATION)}
    positions = {
        "first_norm": (NORM, 0),
        "last_norm": (NORM, -1),
        "share": (SHARE, -1),
        "correlation": (CORRELATION, 0),
    }
    for name, values in columns.items():
        curve, column = positions[name]
        curves[curve][:, column] = values
    return DepthRecord(V1, curves, np.zeros((depth, 2, 2, 1), np.float32), tuple(range(depth)))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.12345, 3, "0.123"),
        (2.0, 1, "2.0"),
        (-0.5, 2, "-0.50"),
        (float("nan"), 2, "–"),
        (float("inf"), 2, "–"),
        (-float("inf"), 0, "–"),
    ],
)
def test_a_number_has_its_digits_and_what_is_not_finite_is_a_dash(
    value: float, digits: int, text: str
) -> None:
    assert number_text(value, digits) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ([8, 4, 160], [2, 2, 2], "×4 "),  # medians over the runs: 8 and 2
        ([1, 1, 1], [3, 1, 7], "×0.333 "),
        ([0.001], [1], "×0.001 "),
        ([0.0009994], [1], "×9.99·10⁻⁴ "),
        ([999.4], [1], "×999 "),
        ([999.6], [1], "×1·10³ "),
        ([12345], [1], "×1.23·10⁴ "),
        ([999999], [1], "×1·10⁶ "),
        ([3.2e-31], [1], "×3.2·10⁻³¹ "),
        ([0, 0, 1], [1, 1, 1], "underflows to 0 "),
        ([float("nan")], [1], "– "),
        ([float("inf")], [1], "– "),
    ],
)
def test_the_gradients_growth_is_that_of_the_medians(
    first: list[float], last: list[float], text: str
) -> None:
    grown, other = record(first_norm=first, last_norm=last), record(first_norm=[5])
    words = "Gradient norm, from the last block back to the first: "
    sentence = trend_captions(grown, other)[0]
    assert sentence == f"{words}{text}in the residual stack, ×5 in the plain one."
    sentence = trend_captions(other, grown)[0]
    assert sentence == f"{words}×5 in the residual stack, {text}in the plain one."


@pytest.mark.parametrize(
    ("share", "text"),
    [
        ([0.15, 0.2, 0.4], "0.200. De & Smith 2020 predict 1/(l+1) = 0.200, inside the range of "),
        ([0.2 + SMALL_STEP, 0.3], "= 0.200, within 10 % of the range of the runs, 0.200 to 0.300"),
        ([0.219, 0.3], "= 0.200, within 10 % of the range of the runs, 0.219 to 0.300."),
        ([0.221, 0.3], "= 0.200, outside the range of the runs, 0.221 to 0.300."),
        ([0.1, 0.181], "= 0.200, within 10 % of the range of the runs, 0.100 to 0.181."),
        ([0.1, 0.179], "= 0.200, outside the range of the runs, 0.100 to 0.179."),
        ([0.2, float("nan")], "= 0.200, which cannot be compared here."),
    ],
)
def test_the_branch_share_is_compared_with_its_law(share: list[float], text: str) -> None:
    sentence = trend_captions(record(share=share), record())[1]
    assert sentence.startswith("Branch share at block 4: ")
    assert text in sentence


def test_without_finite_runs_the_numbers_are_dashes() -> None:
    nan = [float("nan"), 0.5]
    _, share, correlation = trend_captions(record(share=nan, correlation=nan), record())
    assert share.startswith("Branch share at block 4: –. ")
    assert "standard deviations away: – in the residual stack, 1.00 in the plain" in correlation


def test_correlations_are_compared_each_with_its_own_law() -> None:
    sentence = trend_captions(
        record(correlation=[0.4, 0.45, 0.7]), record(correlation=[-0.3, -0.1, 0.05])
    )[2]
    assert "0.45 in the residual stack, −0.10 in the plain one." in sentence
    words = (
        "1/√L = 0.50 with shortcuts and BatchNorm, inside the range of the runs, 0.400 to 0.700,"
    )
    assert words in sentence
    assert "2⁻ᴸ = 0.0625 without, outside the range of the runs, −0.300 to 0.050." in sentence


@pytest.mark.parametrize(
    ("depth", "law", "slow", "fast"),
    [
        (1, "0.500", "1.00", "0.5"),
        (9, "0.100", "0.33", "0.00195"),
        (10, "0.091", "0.32", "9.77·10⁻⁴"),
        (128, "0.008", "0.09", "2.94·10⁻³⁹"),
    ],
)
def test_the_laws_are_those_of_the_depth(depth: int, law: str, slow: str, fast: str) -> None:
    _, share, correlation = trend_captions(record(depth), record(depth))
    assert share.startswith(f"Branch share at block {depth}: 1.000.")
    assert f"1/(l+1) = {law}," in share
    assert f"1/√L = {slow} with" in correlation
    assert f"2⁻ᴸ = {fast} without" in correlation


def test_every_number_is_numpys_on_random_curves() -> None:
    rng = np.random.default_rng(3)
    records, depth, runs = [], 6, 5
    for _ in range(2):
        curves = {name: rng.uniform(0.05, 1, (runs, depth)) for name in (NORM, SHARE, CORRELATION)}
        records.append(DepthRecord(V1, curves, np.zeros((depth, 1, 1, 1)), ()))
    residual, plain = records
    growths = [
        np.median(each.curves[NORM][:, 0]) / np.median(each.curves[NORM][:, -1]) for each in records
    ]
    last_share = residual.curves[SHARE][:, depth - 1]
    at_first = [each.curves[CORRELATION][:, 0] for each in records]
    expected = [
        growths,
        [np.median(last_share), 1 / 7, last_share.min(), last_share.max()],
        [
            *(np.median(each) for each in at_first),
            1 / np.sqrt(6),
            *(at_first[0].min(), at_first[0].max()),
            1 / 64,
            *(at_first[1].min(), at_first[1].max()),
        ],
    ]
    patterns = [
        r"×(\S+) in the residual stack, ×(\S+) in",
        r"block 6: ([\d.]+)\. .*\(l\+1\) = ([\d.]+), .* runs, ([\d.]+) to ([\d.]+)\. The",
        r"away: (\S+) in the residual stack, (\S+) in .*/√L = ([\d.]+) .* runs, ([\d.]+) to "
        r"([\d.]+), and 2⁻ᴸ = ([\d.]+) .* runs, ([\d.]+) to ([\d.]+)\. ",
    ]
    for sentence, pattern, numbers in zip(
        trend_captions(residual, plain), patterns, expected, strict=True
    ):
        found = re.search(pattern, sentence)
        assert found, sentence
        for text, number in zip(found.groups(), numbers, strict=True):
            unit = 10.0 ** -len(text.partition(".")[2])  # of the last digit shown
            assert abs(float(text) - number) <= 0.51 * unit
