"""The embedded page: it has figure, settings and lesson, and nothing that leads elsewhere."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.lessons import shipped_lessons
from tests.helpers import ROOT, SMALL_PAGE, TIMEOUT, control, figure_messages, messages


def embedded(**link: str) -> AppTest:
    """Open a link with `embed=true`, which Streamlit reports apart from the other parameters."""
    at = AppTest.from_file(ROOT / "explorer" / "page" / "main.py", default_timeout=TIMEOUT)
    at.context["is_embedded"] = True
    at.query_params.update(link)
    return at.run()


def leads_elsewhere(at: AppTest) -> list[str]:
    """Return the keys of what would show another view or lesson, or start the presenter mode."""
    keys = {str(each.key) for each in (*at.button, *at.segmented_control)}
    keys -= {f"lesson_{name}" for name in ("back", "next", "again", "answer")}
    return [
        key for key in keys if key.startswith(("suggest_", "open_", "present_", "lesson", "view"))
    ]


@pytest.mark.parametrize("view", ["forward", "what_if"])
def test_a_view_has_its_title_its_figure_and_its_settings(view: str) -> None:
    at = embedded(view=view, **SMALL_PAGE)
    assert leads_elsewhere(at) == []
    assert at.title[0].value
    assert "stages" in figure_messages(at) or "compared" in figure_messages(at)
    at.number_input(key=control(at, "seed")).set_value(3).run()
    shown = {} if view == "forward" else {"view": view}
    assert at.query_params == {**shown, **SMALL_PAGE, "seed": "3"}
    assert leads_elsewhere(at) == []


def test_an_unknown_view_is_reported_and_the_first_is_shown() -> None:
    at = embedded(view="Nothing", **SMALL_PAGE)
    (warning,) = messages(at, "warning")
    assert warning.startswith("Ignored URL parameter view='Nothing': expected one of forward, ")
    assert "stages" in figure_messages(at)


def test_a_lesson_is_walked_from_its_first_to_its_last_step() -> None:
    lesson = shipped_lessons()[0]
    at = embedded(lesson=lesson.name)
    for step in range(1, len(lesson.steps) + 1):
        assert at.query_params["step"] == str(step)
        assert leads_elsewhere(at) == []
        assert not at.title
        next_step = at.button(key="lesson_next")
        assert next_step.disabled == (step == len(lesson.steps))
        if not next_step.disabled:
            next_step.click().run()
    at.button(key="lesson_back").click().run()
    assert at.query_params["step"] == str(len(lesson.steps) - 1)


def test_the_presenter_mode_keeps_its_controls() -> None:
    at = embedded(present="true", **SMALL_PAGE)
    assert "view" in leads_elsewhere(at)
    assert "present_end" in leads_elsewhere(at)
