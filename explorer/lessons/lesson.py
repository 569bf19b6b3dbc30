"""One lesson, read from its text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl

from explorer.errors import InputError, describe
from explorer.lessons.markup import Number, Passage, parse_passage

MAX_STEPS = 12
MAX_TITLE = 60  # signs
MAX_TEXT = 700  # signs of a text, with its markup: what the place on the page holds
MAX_LINK = 2000
RESERVED = "lesson", "step", "present", "embed", "embed_options"
_LABELS = "link", "question", "answer"


@dataclass(frozen=True)
class Step:
    """A step of a lesson: a state of the page, and a text about it.

    Attributes:
        heading: the step in a few words.
        link: the URL parameters of the state; settings that it does not name have their defaults.
        text: a few sentences.
        question, answer: a question on what is seen and its answer; None without one.
        line: the line of the file in which the step begins, from 1.
    """

    heading: Passage
    link: Mapping[str, str]
    text: Passage
    question: Passage | None
    answer: Passage | None
    line: int

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The numbers named in the step."""
        passages = self.heading, self.text, self.question, self.answer
        return tuple(number for each in passages if each for number in each.numbers)


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        name: its identifier in the URL.
        title, summary: plain text for the list of lessons.
        steps: at least one.
    """

    name: str
    title: str
    summary: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class _Block:
    """A paragraph of a file, or a heading, with the line on which it begins."""

    text: str
    line: int

    @property
    def label(self) -> str:
        """The label that it begins with, such as "link"; else an empty text."""
        label = self.text.partition(":")[0]
        return label if label in _LABELS and ":" in self.text else ""

    @property
    def content(self) -> str:
        """The text after the label, or after the signs of a heading."""
        if self.label:
            return self.text.partition(":")[2].strip()
        return re.sub(r"^#+\s*", "", self.text).strip()


def parse_lesson(name: str, text: str, file: str = "") -> Lesson:
    """Return the lesson of a text; docs/lessons.md describes the format.

    Args:
        name: the lesson's identifier.
        text: the content of the file.
        file: the file's name, with which every error begins.

    Raises:
        InputError: the text is no lesson; the message names the file and the line.
    """
    blocks = list(_blocks(text))
    places = [at for at, block in enumerate(blocks) if block.text.startswith("## ")]
    first = blocks[0] if blocks else _Block("", 1)
    with _Line(file, first.line):
        if not first.text.startswith("# "):
            raise InputError("a lesson begins with its title, as in “# The sum”.")
        title = _short(first.content, "the title")
        if not places:
            raise InputError("the lesson has no step; a step begins with a heading, “## …”.")
        if len(places) > MAX_STEPS:
            raise InputError(f"the lesson has {len(places)} steps; the limit is {MAX_STEPS}.")
    summary = blocks[1 : places[0]]
    with _Line(file, summary[0].line if summary else first.line):
        if len(summary) != 1 or summary[0].label:
            raise InputError("between the title and the first step stands one paragraph.")
        if len(summary[0].content) > 2 * MAX_TITLE:
            raise InputError(f"this paragraph is for a list: at most {2 * MAX_TITLE} signs.")
    ends = [*places[1:], len(blocks)]
    steps = tuple(_step(blocks[start:end], file) for start, end in zip(places, ends, strict=True))
    return Lesson(name, title, summary[0].content, steps)


def _step(blocks: list[_Block], file: str) -> Step:
    heading, rest = blocks[0], blocks[1:]
    found: dict[str, _Block] = {}
    texts = []
    for block in rest:
        with _Line(file, block.line):
            if block.text.startswith("#"):
                raise InputError("only “# ” (the lesson) and “## ” (a step) are headings.")
            if not block.label:
                texts.append(block)
            elif block.label in found:
                raise InputError(f"the step has a second “{block.label}:”.")
            else:
                found[block.label] = block
    with _Line(file, heading.line):
        title = parse_passage(_short(heading.content, "the heading"))
        if "link" not in found:
            raise InputError("the step has no “link:” with the settings of the page.")
        if len(texts) != 1:
            raise InputError(f"a step has one paragraph of text, this one {len(texts)}.")
        if ("question" in found) != ("answer" in found):
            raise InputError("a step has both “question:” and “answer:”, or neither.")
    with _Line(file, found["link"].line):
        link = _link(found["link"].content)
    passages = {}
    for name, block in {"text": texts[0], **found}.items():
        if name == "link":
            continue
        with _Line(file, block.line):
            if len(block.content) > MAX_TEXT:
                raise InputError(
                    f"this paragraph has {len(block.content)} signs; the limit is {MAX_TEXT}."
                )
            passages[name] = parse_passage(block.content)
    return Step(
        title,
        MappingProxyType(link),
        passages["text"],
        passages.get("question"),
        passages.get("answer"),
        heading.line,
    )


def _link(text: str) -> dict[str, str]:
    if len(text) > MAX_LINK:
        raise InputError(f"the link has {len(text)} signs; the limit is {MAX_LINK}.")
    if not text.startswith("?"):
        raise InputError("the link is the part of the page's address that begins with “?”.")
    try:
        pairs = parse_qsl(text[1:], keep_blank_values=True, strict_parsing=len(text) > 1)
    except ValueError:
        raise InputError(
            f"the link {describe(text)} must have the form ?name=value&name=value."
        ) from None
    link = dict(pairs)
    if len(link) < len(pairs):
        raise InputError("the link names a parameter twice.")
    for name in RESERVED:
        if name in link:
            raise InputError(f"the link may not name {name}, which the lesson itself sets.")
    return link


def _short(text: str, words: str) -> str:
    if not 0 < len(text) <= MAX_TITLE:
        raise InputError(f"{words} has {len(text)} signs; legal are 1 to {MAX_TITLE}.")
    return text


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the headings, labelled lines and paragraphs of a text."""
    lines: list[str] = []
    start = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        stripped = line.strip()
        begins = stripped.startswith("#") or bool(_Block(stripped, number).label)
        is_one_line = bool(lines) and lines[0].startswith(("#", "link:"))
        if lines and (not stripped or begins or is_one_line):
            yield _Block(" ".join(lines), start)
            lines = []
        if stripped:
            start = start if lines else number
            lines.append(stripped)


@dataclass(frozen=True)
class _Line:
    """Puts file and line before the message of an InputError."""

    file: str
    line: int

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError):
            raise InputError(f"{self.file}, line {self.line}: {error}") from None
