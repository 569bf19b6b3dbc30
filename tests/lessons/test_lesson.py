"""The format of lessons: what is read, what is escaped, and the sentence on what is wrong."""

import os
from pathlib import Path

import pytest

from explorer.errors import InputError
from explorer.lessons import Number, parse_lesson, read_folder, shipped_lessons
from explorer.lessons.folder import MAX_BYTES, MAX_FILES
from explorer.lessons.markup import parse_passage

STEP = """## One step
link: ?seed=3&pin=variant+add,1,2

Text of
two lines.
"""
LESSON = f"# A title\n\nWhat it is about.\n\n{STEP}"


def test_a_lesson_is_read() -> None:
    more = "\n## Another\nlink: ?\nIt **is** here.\nquestion: Why?\nanswer: As {x = 0.5}\nsays.\n"
    lesson = parse_lesson("mine", LESSON + more)
    assert (lesson.title, lesson.summary) == ("A title", "What it is about.")
    first, second = lesson.steps
    assert first.link == {"seed": "3", "pin": "variant add,1,2"}
    assert (first.heading.html, first.text.html, first.line) == (
        "One step",
        "Text of two lines.",
        5,
    )
    assert first.question is None
    assert second.link == {}
    assert second.text.html == "It <strong>is</strong> here."
    assert second.question
    assert second.question.html == "Why?"
    assert second.numbers == (Number("x", "0.5"),)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & *c*", "a &lt; b &amp; <em>c</em>"),
        ("**one *two* three", "**one <em>two</em> three"),
        (
            "`<script>` and 2016, conv1, 3×3, Fig. 2",
            "<code>&lt;script&gt;</code> and 2016, conv1, 3×3, Fig. 2",
        ),
        ("[here](?view=depth&runs=1)", '<a href="?view=depth&amp;runs=1">here</a>'),
        ("[a](https://a.org/x)", '<a href="https://a.org/x">a</a>'),
        ("<img src=x onerror=alert()>", "&lt;img src=x onerror=alert()&gt;"),
        ("a $x$ _b_ ![p](", "a $x$ _b_ ![p]("),
        ("is 0, not * or [", "is 0, not * or ["),
    ],
)
def test_all_but_a_few_marks_is_plain_text(text: str, html: str) -> None:
    assert parse_passage(text).html == html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("it is 0.5 large", "the number '0.5' is not marked"),
        ("it is 3, or so", "the number '3' is not marked"),
        ("in `7 cells`", "the number '7' is not marked"),
        ("**by 40 %**", "the number '40' is not marked"),
        ("0.5", "the number '0.5' is not marked"),
        ("{x}", "{x} is no number"),
        ("{ = 3}", "is no number"),
        ("a { b", "the brace { has no partner"),
        ("[a](javascript:x)", "the address 'javascript:x' of a link must begin"),
        ("[a](http://a.org)", "must begin with ? (this page) or https://"),
        ('[a](?x="onclick=)', "must begin with"),
    ],
)
def test_an_illegal_text_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_passage(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "a lesson begins with its title"),
        ("Text", 1, "a lesson begins with its title"),
        ("# " + "t" * 61, 1, "the title has 61 signs"),
        ("# T\n\nSummary.\n", 1, "the lesson has no step"),
        (f"# T\n\n{STEP}", 1, "between the title and the first step stands one paragraph"),
        (f"# T\n\nOne.\n\nTwo.\n\n{STEP}", 3, "stands one paragraph"),
        (f"# T\n\n{'a' * 121}\n\n{STEP}", 3, "at most 120 signs"),
        (f"# T\n\nS.\n\n{STEP * 13}", 1, "the lesson has 13 steps; the limit is 12"),
        ("# T\n\nS.\n\n## A\nText.\n", 5, "the step has no “link:”"),
        ("# T\n\nS.\n\n## A\nlink: ?\n", 5, "one paragraph of text, this one 0"),
        (f"{LESSON}\nMore.\n", 5, "one paragraph of text, this one 2"),
        (f"{LESSON}\n### B\n", 11, "only “# ” (the lesson) and “## ” (a step) are headings"),
        (f"{LESSON}question: Why?\n", 5, "has both “question:” and “answer:”"),
        (f"{LESSON}link: ?\n", 10, "the step has a second “link:”"),
        (f"{LESSON}question: 7?\nanswer: no\n", 10, "the number '7' is not marked"),
        ("# T\n\nS.\n\n## A\nlink: seed=3\nT.", 6, "begins with “?”"),
        ("# T\n\nS.\n\n## A\nlink: ?seed\nT.", 6, "the form ?name=value&name=value"),
        ("# T\n\nS.\n\n## A\nlink: ?a=1&a=2\nT.", 6, "names a parameter twice"),
        ("# T\n\nS.\n\n## A\nlink: ?step=1\nT.", 6, "may not name step"),
        (f"# T\n\nS.\n\n## A\nlink: ?a={'b' * 2000}\nT.", 6, "the limit is 2000"),
        (f"# T\n\nS.\n\n## A\nlink: ?\n\n{'b' * 701}", 8, "701 signs; the limit is 700"),
    ],
)
def test_an_error_names_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_lesson("mine", text, "mine.md")
    assert str(caught.value).startswith(f"mine.md, line {line}: ")
    assert words in str(caught.value)


def test_a_folder_is_read_in_order_and_a_bad_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(LESSON)
    (tmp_path / "20_b.md").write_text(LESSON)
    (tmp_path / "10_c.md").write_text(LESSON)
    (tmp_path / "30_b.md").write_text(LESSON)
    (tmp_path / "40_the_sum.md").write_text(LESSON)
    (tmp_path / "50_Bad-Name.md").write_text(LESSON)
    (tmp_path / "60_latin.md").write_bytes("# T\n\nS.\n\né".encode("latin-1"))
    (tmp_path / "70_large.md").write_bytes(b" " * (MAX_BYTES + 1))
    (tmp_path / "80_folder.md").mkdir()
    (tmp_path / "90_link.md").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "95_pipe.md")
    found = read_folder(tmp_path, {"the_sum"})
    assert [lesson.name for lesson in found.lessons] == ["c", "b"]
    starts = [
        "30_b.md, line 1: there is another lesson named b",
        "40_the_sum.md, line 1: there is another lesson named the_sum",
        "'50_Bad-Name.md', line 1: the file's name must be",
        "60_latin.md, line 5: the text is not UTF-8",
        "70_large.md, line 1: the file is larger than 65,536 bytes",
        "80_folder.md, line 1: this is no readable file of the folder",
        "90_link.md, line 1: this is no readable file of the folder",
        "95_pipe.md, line 1: a lesson begins with its title",
    ]
    assert len(found.problems) == len(starts)
    for problem, start in zip(found.problems, starts, strict=True):
        assert problem.startswith(start)


def test_a_folder_has_a_limit_and_may_be_missing(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"lesson_{number}.md").write_text(LESSON)
    found = read_folder(tmp_path)
    assert len(found.lessons) == MAX_FILES
    assert found.problems == ("The folder has 51 lessons; the first 50 are read.",)
    with pytest.raises(InputError, match="The folder of lessons cannot be read: No such file"):
        read_folder(tmp_path / "none")


def test_the_shipped_lessons_have_three_to_six_steps_and_unlike_headings() -> None:
    lessons = shipped_lessons()
    for lesson in lessons:
        assert 3 <= len(lesson.steps) <= 6
        assert any(step.question for step in lesson.steps)
        assert len({step.heading.html for step in lesson.steps}) == len(lesson.steps)
    assert len({lesson.name for lesson in lessons}) == len(lessons)
