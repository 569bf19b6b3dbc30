"""Lessons on the page: its state in every step, links, and a folder with bad files."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.lessons import shipped_lessons
from explorer.page.lessons import FOLDER
from tests.helpers import SMALL_PAGE, control, figure_messages, messages, page

LESSON = """# Mine <b>

A lesson *of* my [own](x).

## First
link: ?input=normal&height=8&width=6&channels=4&seed=3&pin=add,1,2

See **this**.
question: Which?
answer: That one.

## Second
link: ?input=normal&height=8&width=6&channels=4&mode=eval

And <i>that</i>.
"""
FIRST = {**SMALL_PAGE, "input": "normal", "seed": "3", "pin": "add,1,2"}
SECOND = {**SMALL_PAGE, "input": "normal", "mode": "eval"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    (tmp_path / "10_mine.md").write_text(LESSON)
    return tmp_path


def texts(at: AppTest) -> str:
    """Return the HTML on the page."""
    return "".join(html.value for html in at.html)


def labels(at: AppTest) -> list[str]:
    """Return the labels of the list of lessons."""
    return [each.label for each in at.button if each.key and each.key.startswith("lesson_")]


def test_all_lessons_are_listed_and_one_opens(folder: Path) -> None:
    at = page(**SMALL_PAGE)
    titles = [lesson.title for lesson in shipped_lessons()]
    assert len(labels(at)) == len(titles) + 1
    assert labels(at)[-1] == f"**{len(titles) + 1}\\. Mine \\<b\\>**"
    assert "A lesson *of* my [own](x)." in texts(at)
    at.button(key="lesson_mine").click().run()
    assert at.query_params == {"lesson": "mine", "step": "1", **FIRST}


def test_the_last_step_leads_to_the_next_lesson(folder: Path) -> None:
    last, own = shipped_lessons()[-1], "mine"
    at = page(lesson=last.name, step=str(len(last.steps)))
    at.button(key="lesson_following").click().run()
    assert at.query_params == {"lesson": own, "step": "1", **FIRST}


def test_a_lesson_is_left_while_its_step_is_being_opened(folder: Path) -> None:
    at = page(lesson="mine", step="1")
    at.session_state["opened_settings"] = {"lesson": "mine", "step": "1", **FIRST}
    at.button(key="lesson_leave").click().run()  # the run that opened the step had not ended
    assert at.query_params == FIRST
    assert "lesson_leave" not in {each.key for each in at.button}


def test_the_steps_set_the_page(folder: Path) -> None:
    at = page(lesson="mine", step="1")
    assert not messages(at, "warning")
    assert at.query_params == {"lesson": "mine", "step": "1", **FIRST}
    assert figure_messages(at)["stages"]["link"]["pin"] == {"panel": "add", "row": 1, "col": 2}
    assert at.button(key="lesson_back").disabled
    at.number_input(key=control(at, "seed")).set_value(9).run()
    at.button(key="lesson_next").click().run()
    assert at.query_params == {"lesson": "mine", "step": "2", **SECOND}
    assert at.number_input(key=control(at, "seed")).value == 0
    assert figure_messages(at)["stages"]["link"]["pin"] is None
    assert "And &lt;i&gt;that&lt;/i&gt;." in texts(at)
    assert at.button(key="lesson_next").disabled
    at.button(key="lesson_back").click().run()
    assert at.query_params == {"lesson": "mine", "step": "1", **FIRST}
    at.number_input(key=control(at, "seed")).set_value(9).run()
    at.button(key="lesson_again").click().run()
    assert at.query_params == {"lesson": "mine", "step": "1", **FIRST}
    at.button(key="lesson_leave").click().run()
    assert at.query_params == FIRST


def test_the_answer_is_shown_once_asked_for(folder: Path) -> None:
    at = page(lesson="mine")
    assert "Which?" in texts(at)
    assert "That one." not in texts(at)
    at.button(key="lesson_answer").click().run()
    assert "That one." in texts(at)
    at.button(key="lesson_next").click().run()
    at.button(key="lesson_back").click().run()
    assert "That one." in texts(at)


def test_a_link_with_changed_settings_keeps_them(folder: Path) -> None:
    link = {"lesson": "mine", "step": "2", **SECOND, "seed": "7"}
    assert page(**link).query_params == link


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"lesson": "<b>", "step": "1"}, "Ignored URL parameter lesson='<b>': expected one of the"),
        ({"lesson": "the_sum", "step": "99"}, "Ignored URL parameter step='99': expected an int"),
        ({"lesson": "the_sum", "step": "1.0"}, "Ignored URL parameter step='1.0': expected an int"),
        ({"step": "1"}, "Ignored URL parameter step='1': expected a step of a lesson"),
        ({"lesson": ["the_sum", "the_sum"]}, "Ignored URL parameter lesson='the_sum, the_sum'"),
    ],
)
def test_an_illegal_lesson_or_step_is_one_sentence(link: dict[str, str], sentence: str) -> None:
    at = page(**SMALL_PAGE, **link)
    (warning,) = messages(at, "warning")
    assert warning.startswith(sentence)
    assert not messages(at.run(), "warning")


def test_a_bad_file_is_named_and_hides_no_other(folder: Path) -> None:
    (folder / "11_bad.md").write_text(LESSON.replace("See", "See 7"))
    at = page(**SMALL_PAGE)
    (warning,) = messages(at, "warning")
    assert warning.startswith("11_bad.md, line 8: the number '7' is not marked")
    assert labels(at)[-1].endswith("Mine \\<b\\>**")
    (folder / "11_bad.md").write_text(LESSON.replace("Mine", "Mended"))
    at.run()
    assert not messages(at, "warning")
    assert labels(at)[-1].endswith("Mended \\<b\\>**")


def test_a_missing_folder_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(folder / "none"))
    (warning,) = messages(page(**SMALL_PAGE), "warning")
    assert warning == "The folder of lessons cannot be read: No such file or directory."
