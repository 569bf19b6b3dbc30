"""The code of an input makes the same array, bit for bit."""

from typing import Any

import numpy as np
import pytest

from explorer.inputs import GENERATORS, generate, pad_channels, project_channels, standardise
from explorer.inputs.source_code import (
    PAD_SOURCE,
    PROJECT_SOURCE,
    STANDARDISE_SOURCE,
    generator_source,
)

FORMULAS = [name for name, kind in GENERATORS.items() if kind.group != "sample"]


def run(source: str, **more: Any) -> np.ndarray:
    names: dict[str, Any] = {"np": np, **more}
    exec(source, names)
    x: np.ndarray = names["x"]
    return x


def expect_equal(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 4, 6), (5, 12, 3)])
@pytest.mark.parametrize("name", FORMULAS)
def test_every_pattern_and_noise(name: str, shape: tuple[int, int, int]) -> None:
    expect_equal(run(generator_source(name, *shape, 5)), generate(name, *shape, 5))


def test_pictures_have_no_formula() -> None:
    assert [name for name in GENERATORS if not generator_source(name, 8, 8, 3, 0)] == [
        name for name in GENERATORS if name not in FORMULAS
    ]


def test_the_steps_after_it() -> None:
    x = generate("normal", 5, 4, 3, 5)
    x[:, :, 1] = 0.1  # a constant channel
    expect_equal(run(STANDARDISE_SOURCE, x=x), standardise(x))
    expect_equal(run(PAD_SOURCE, x=x, features=7), pad_channels(x, 7))
    expect_equal(run(PROJECT_SOURCE, x=x, features=2, seed=9), project_channels(x, 2, 9))
