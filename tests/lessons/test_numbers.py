"""Every number in a lesson's text is the one that the engine computes in the step's state."""

import os
from pathlib import Path

import numpy as np
import pytest

from explorer.lessons import Lesson, parse_lesson, read_folder, shipped_lessons
from explorer.page.lessons import FOLDER
from tests.helpers import ROOT
from tests.lessons.values import printed_as, state_of, value_of


def example() -> str:
    """Return the example of docs/lessons.md."""
    text = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    return text.partition("```markdown\n")[2].partition("```")[0]


def lessons() -> list[Lesson]:
    """Return the shipped lessons, the example, and a teacher's own if a folder is named."""
    own = os.environ.get(FOLDER)
    found = read_folder(Path(own)) if own else None
    assert not (found and found.problems), found and found.problems
    others = found.lessons if found else ()
    return [*shipped_lessons(), parse_lesson("example", example(), "docs/lessons.md"), *others]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_each_number_is_the_engines(lesson: Lesson) -> None:
    wrong = []
    for index, step in enumerate(lesson.steps, 1):
        state = state_of(tuple(step.link.items()))
        for number in step.numbers:
            expected = printed_as(value_of(state, number.name), number.text)
            if number.text != expected:
                wrong.append(f"step {index}: {{{number.name} = {number.text}}} is {expected}")
    assert not wrong


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.2619, "−0.262"),
        (0.5191, "52%"),
        (0.5191, "51.9 %"),
        (1234.4, "1,234"),
        (np.float32(0.0000123), "1.2·10⁻⁵"),
        (0.0001, "10⁻⁴"),
        ("96×96×3", "96×96×3"),
    ],
)
def test_a_value_is_printed_with_the_digits_of_the_text(value: float | str, text: str) -> None:
    assert printed_as(value, text) == text
    if not isinstance(value, str):
        assert printed_as(20 * value, text) != text
