"""The sentence on each curve over depth, on curves made by hand and on random ones."""

import re
from dataclasses import replace

import numpy as np
import pytest

from explorer.figures.depth import SUBTITLES
from explorer.model.variants import V1
from explorer.page.views.depth_verdicts import verdict
from explorer.records import DepthRecord

NAN, INF = float("nan"), float("inf")


def record(*runs: list[float]) -> DepthRecord:
    """Return a record of which every curve has these runs; x has a variance of 4."""
    curves = {name: np.array(runs, np.float32) for name in SUBTITLES}
    inputs = np.full((len(runs[0]), 2, 3, 4), 2, np.float32)
    inputs[:, 0] = -2
    return DepthRecord(V1, curves, inputs, ())


@pytest.mark.parametrize(
    ("residual", "plain", "words"),
    [
        ([8, 5, 2], [1, 2, 5], "4 × that at the last with shortcuts, and 0.2 × without"),
        ([0.001, 1, 2], [3e6, 1, 2], "5·10⁻⁴ × that at the last with shortcuts, and 1.5·10⁶ ×"),
        ([3, 2, 2], [0, 0, 2], "1.5 × that at the last with shortcuts, and 0 without"),
        ([0, 1, 2], [6, 0, 2], "0 with shortcuts, and 3 × that at the last without"),
        ([0, 0, 0], [0, 0, 0], "0 with shortcuts, and 0 without"),
        ([3, 2, 2], [NAN, 1, 1], "1.5 × that at the last with shortcuts, and not finite without"),
        ([INF, 2, 2], [1, 1, INF], "not finite with shortcuts, and not finite without"),
    ],
)
def test_the_gradient_at_the_first_block_is_compared_with_that_at_the_last(
    residual: list[float], plain: list[float], words: str
) -> None:
    sentence = verdict("gradient norm", record(residual), record(plain))
    assert sentence.startswith(f"At the first of 3 blocks the norm of the gradient is {words}")
    assert sentence.endswith(" without.")


def test_medians_are_over_runs_and_one_run_that_is_not_finite_is_named() -> None:
    several = record([9, 1], [6, 2], [4, 4])
    sentence = verdict("gradient norm", several, record([1, 1], [1, 2], [NAN, 1]))
    assert "is 3 × that at the last with shortcuts, and not finite without" in sentence
    assert sentence.endswith(" (medians of 3 runs).")


def test_one_block_has_no_ratio() -> None:
    words = "at the input of one block is 3 with the shortcut and 0.5 without."
    assert words in verdict("gradient norm", record([3]), record([0.5]))
    assert "F(x) has 25.0 % of the variance" in verdict(
        "branch share", record([0.25]), record([NAN])
    )
    assert "After one block the standard" in verdict("std", record([3]), record([0.5]))


@pytest.mark.parametrize("curve", SUBTITLES)
def test_values_that_are_not_finite_are_no_numbers(curve: str) -> None:
    broken = record([INF, NAN, NAN])
    sentence = verdict(curve, broken, broken)
    assert re.search("not finite|undefined", sentence)
    assert not re.search(r"nan|inf\b|–", sentence)


def test_every_number_is_numpys() -> None:
    rng = np.random.default_rng(2)
    residual, plain = (
        replace(
            record([1.0] * 6),
            curves={name: rng.uniform(0.1, 1, (5, 6)) for name in SUBTITLES},
            inputs=rng.standard_normal((6, 2, 3, 4)),
        )
        for _ in range(2)
    )

    def median(of: DepthRecord, curve: str, block: int) -> float:
        return float(np.median(of.curves[curve], axis=0)[block])

    expected = {
        "gradient norm": [
            6,
            *(
                median(of, "gradient norm", 0) / median(of, "gradient norm", -1)
                for of in (residual, plain)
            ),
        ],
        "gradient correlation": [
            0.05,
            *(median(of, "gradient correlation", 0) for of in (residual, plain)),
        ],
        "branch share": [
            100 * median(residual, "branch share", 0),
            100 * median(residual, "branch share", -1),
            6,
        ],
        "std": [6, median(residual, "std", -1), median(plain, "std", -1), residual.inputs[0].std()],
        "squared mean": [6, *(median(of, "squared mean", -1) for of in (residual, plain))],
        "zeros": [6, 0, *(100 * median(of, "zeros", -1) for of in (residual, plain))],
    }
    for curve, numbers in expected.items():
        sentence = verdict(curve, residual, plain)
        found = re.findall(r"\d+(?:\.\d+)?", sentence.removesuffix(" (medians of 5 runs)."))
        assert len(found) == len(numbers), sentence
        for text, number in zip(found, numbers, strict=True):
            unit = 10.0 ** -len(text.partition(".")[2])
            assert abs(float(text) - number) <= 0.51 * unit, sentence


def test_a_rounded_zero_has_no_sign() -> None:
    flat = record([-0.001, 1.0])
    assert "of 0.00 with shortcuts, and −0.50" in verdict(
        "gradient correlation", flat, record([-0.5, 1])
    )
