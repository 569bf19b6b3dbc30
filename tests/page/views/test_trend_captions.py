"""The captions under the curves over depth, on curves made by hand."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, VARIANTS
from explorer.page.views.number_words import number_text, power_text
from explorer.page.views.trend_captions import trend_caption
from explorer.records import DepthRecord

NORM, SHARE, CORRELATION = "gradient norm", "branch share", "gradient correlation"
SMALL_STEP = 1e-6


def record(
    depth: int = 4, spec: BlockSpec = V1, variance: float = 1, **columns: Sequence[float]
) -> DepthRecord:
    """Return a record whose curves are 1 except in the columns given, a value for each run.

    `first_norm` and `last_norm` are the gradient norm at the first and the last block,
    `share` is the branch share at the last block, `correlation` that of the gradients at
    the first and `late_correlation` that two blocks from the end. x has 10,000 cells.
    """
    runs = len(next(iter(columns.values()), [1.0]))
    curves = {name: np.ones((runs, depth), np.float32) for name in (NORM, SHARE, CORRELATION)}
    positions = {
        "first_norm": (NORM, 0),
        "last_norm": (NORM, -1),
        "share": (SHARE, -1),
        "correlation": (CORRELATION, 0),
        "late_correlation": (CORRELATION, max(depth - 2, 0)),
    }
    for name, values in columns.items():
        curve, column = positions[name]
        curves[curve][:, column] = values
    inputs = np.full((depth, 20, 50, 10), variance**0.5, np.float32)
    inputs[:, ::2] *= -1
    return DepthRecord(spec, curves, inputs, tuple(range(depth)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4, "4"),
        (1 / 3, "0.333"),
        (0.001, "0.001"),
        (0.0009994, "9.99·10⁻⁴"),
        (999.4, "999"),
        (999.6, "1·10³"),
        (12345, "1.23·10⁴"),
        (999999, "1·10⁶"),
        (3.2e-31, "3.2·10⁻³¹"),
        (0, "0"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_small_and_large_numbers_have_a_power_of_ten(value: float, text: str) -> None:
    assert power_text(value) == text


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


LAW = (
    "De & Smith 2020 predict 1/(l+1) = 0.200 for an input of variance 1 in a stack with BatchNorm "
    "and without the ReLU after the sum"
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        ([0.15, 0.2, 0.4], f"0.200. {LAW}, inside the range of the runs, 0.150 to 0.400."),
        ([0.2 + SMALL_STEP, 0.3], f"{LAW}, within 10 % of the range of the runs, 0.200 to 0.300."),
        ([0.219, 0.3], f"{LAW}, within 10 % of the range of the runs, 0.219 to 0.300."),
        ([0.221, 0.3], f"{LAW}, outside the range of the runs, 0.221 to 0.300."),
        ([0.1, 0.181], f"{LAW}, within 10 % of the range of the runs, 0.100 to 0.181."),
        ([0.1, 0.179], f"{LAW}, outside the range of the runs, 0.100 to 0.179."),
        ([0.2, float("nan")], f"{LAW}, which cannot be compared here."),
    ],
)
def test_the_branch_share_is_compared_with_its_law(share: list[float], text: str) -> None:
    sentence = trend_caption(SHARE, record(share=share), record())
    assert sentence.startswith("Branch share at block 4: ")
    assert text in sentence


def test_the_effect_of_the_last_relu_is_a_ratio_of_measured_shares() -> None:
    sentence = trend_caption(SHARE, record(share=[0.4, 0.5, 0.7]), record())
    words = "With the ReLU, the share divided by the prediction is 3.00 at block 2 and 2.50 at "
    assert sentence.endswith(f"{words}block 4.")
    without = record(share=[0.4], spec=replace(V1, after=()))
    assert "With the ReLU" not in trend_caption(SHARE, without, record())


def test_the_law_of_an_input_of_another_variance() -> None:
    sentence = trend_caption(SHARE, record(share=[0.009, 0.011], variance=100), record())
    words = "; with the variance of x, 100, the same argument gives 1/(l+100) = 0.010, inside the"
    assert words in sentence
    assert "1.04 at block 4." in sentence


def test_without_batch_norm_its_laws_are_not_mentioned() -> None:
    no_norm = record(spec=VARIANTS["no_bn"])
    assert trend_caption(SHARE, no_norm, no_norm) == ""
    sentence = trend_caption(CORRELATION, no_norm, no_norm)
    assert "1/√L" not in sentence
    assert "In plain networks without BatchNorm they predict" in sentence


@pytest.mark.parametrize("curve", [NORM, "std", "squared mean", "zeros"])
def test_curves_without_a_published_trend_have_no_caption(curve: str) -> None:
    assert trend_caption(curve, record(), record()) == ""


def test_without_finite_runs_the_numbers_are_dashes() -> None:
    nan = [float("nan"), 0.5]
    share, correlation = (
        trend_caption(curve, record(share=nan, correlation=nan), record())
        for curve in (SHARE, CORRELATION)
    )
    assert share.startswith("Branch share at block 4: –. ")
    assert "With the ReLU" not in share
    assert "1/√L = 0.50 with shortcuts and BatchNorm, which cannot be compared here" in correlation


def test_correlations_are_compared_each_with_its_own_law() -> None:
    sentence = trend_caption(
        CORRELATION,
        record(correlation=[0.4, 0.45, 0.7]),
        record(correlation=[-0.3, -0.1, 0.05], late_correlation=[0.05, 0.07, 0.1]),
    )
    assert (
        "Unrelated gradients of 10,000 independent cells have a correlation of ±0.01." in sentence
    )
    words = (
        "1/√L = 0.50 with shortcuts and BatchNorm, inside the range of the runs, 0.400 to 0.700."
    )
    assert words in sentence
    words = (
        "a halving at every ReLU, of which a block has 2: 0.0625 at the second to last block, "
        "inside the range of the runs, 0.050 to 0.100; 0.00391 at the first block, too small to be "
        "told from 0. Their"
    )
    assert words in sentence


def test_without_the_last_relu_a_block_halves_the_correlation_once() -> None:
    of_one = record(spec=replace(V1, after=()), late_correlation=[0.2, 0.3])
    sentence = trend_caption(CORRELATION, of_one, of_one)
    words = (
        "a halving at every ReLU: 0.25 at the second to last block, inside the range of the runs"
    )
    assert words in sentence
    assert "; 0.0625 at the first block, outside the range of the runs" in sentence
    no_relus = record(spec=VARIANTS["transformer_mlp"])
    assert "halving" not in trend_caption(CORRELATION, no_relus, no_relus)


@pytest.mark.parametrize(
    ("depth", "law", "slow", "fast"),
    [
        (1, "0.500", "1.00", ": 0.25 at the first block, outside"),
        (2, "0.333", "0.71", ": 0.0625 at the first block, outside"),
        (9, "0.100", "0.33", "; 3.81·10⁻⁶ at the first block, outside"),
        (128, "0.008", "0.09", "; 8.64·10⁻⁷⁸ at the first block, outside"),
    ],
)
def test_the_laws_are_those_of_the_depth(depth: int, law: str, slow: str, fast: str) -> None:
    share, correlation = (
        trend_caption(curve, record(depth), record(depth)) for curve in (SHARE, CORRELATION)
    )
    assert share.startswith(f"Branch share at block {depth}: 1.000.")
    assert f"1/(l+1) = {law} for" in share
    assert f"1/√L = {slow} with" in correlation
    assert fast in correlation


def test_every_number_is_numpys_on_random_curves() -> None:
    rng = np.random.default_rng(3)
    records, depth, runs = [], 6, 5
    for _ in range(2):
        curves = {name: rng.uniform(0.05, 1, (runs, depth)) for name in (NORM, SHARE, CORRELATION)}
        inputs = rng.standard_normal((depth, 40, 50, 10))
        records.append(DepthRecord(V1, curves, inputs, ()))
    residual, plain = records
    last_share = residual.curves[SHARE][:, depth - 1]
    late = plain.curves[CORRELATION][:, depth - 2]
    at_first = residual.curves[CORRELATION][:, 0]
    expected = [
        [np.median(last_share), 1 / 7, last_share.min(), last_share.max()],
        [
            1 / np.sqrt(6),
            *(at_first.min(), at_first.max()),
            1 / 16,
            *(late.min(), late.max()),
        ],
    ]
    patterns = [
        r"block 6: ([\d.]+)\. .*\(l\+1\) = ([\d.]+) .* runs, ([\d.]+) to ([\d.]+)\. With",
        r"/√L = ([\d.]+) .* runs, ([\d.]+) to "
        r"([\d.]+)\. .* 2: ([\d.]+) at the second .* runs, ([\d.]+) to ([\d.]+); ",
    ]
    sentences = [trend_caption(curve, residual, plain) for curve in (SHARE, CORRELATION)]
    for sentence, pattern, numbers in zip(sentences, patterns, expected, strict=True):
        found = re.search(pattern, sentence)
        assert found, sentence
        for text, number in zip(found.groups(), numbers, strict=True):
            unit = 10.0 ** -len(text.partition(".")[2])  # of the last digit shown
            assert abs(float(text) - number) <= 0.51 * unit
