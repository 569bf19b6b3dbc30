"""Lessons read from files: the shipped ones, and those of a folder."""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from explorer.errors import InputError, describe
from explorer.lessons.lesson import Lesson, parse_lesson

MAX_FILES = 50
MAX_BYTES = 65_536
_NAME = re.compile(r"(?:\d+_)?(?P<name>[a-z][a-z0-9_]{0,39})\.md")


@dataclass(frozen=True)
class FolderContent:
    """What a folder holds.

    Attributes:
        lessons: the lessons, in the order of their files' names.
        problems: one sentence for each file that is no lesson.
    """

    lessons: tuple[Lesson, ...] = ()
    problems: tuple[str, ...] = ()


@cache
def shipped_lessons() -> tuple[Lesson, ...]:
    """Return the lessons that come with the package, in order."""
    folder = files("explorer.lessons") / "texts"
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".md")), key=lambda each: each.name
    )
    return tuple(
        parse_lesson(_name_of(each.name), each.read_text(encoding="utf-8"), each.name)
        for each in found
    )


def read_folder(folder: Path, taken: Collection[str] = ()) -> FolderContent:
    """Return the lessons of the files of a folder whose names end in .md.

    Args:
        folder: at most 50 of its files are read; links to other places are not.
        taken: names that a lesson of the folder may not have.

    Raises:
        InputError: the folder cannot be read.
    """
    lessons: dict[str, Lesson] = {}
    problems = []
    names = _file_names(folder)
    for name in names[:MAX_FILES]:
        try:
            lesson = parse_lesson(_name_of(name), _read(folder / name, name), name)
            if lesson.name in lessons or lesson.name in taken:
                raise InputError(
                    f"{name}, line 1: there is another lesson named {lesson.name}; rename the file."
                )
            lessons[lesson.name] = lesson
        except InputError as problem:
            problems.append(str(problem))
    if len(names) > MAX_FILES:
        problems.append(f"The folder has {len(names)} lessons; the first {MAX_FILES} are read.")
    return FolderContent(tuple(lessons.values()), tuple(problems))


def _file_names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".md"))
    except OSError as error:
        raise InputError(f"The folder of lessons cannot be read: {error.strerror}.") from None


def _name_of(file: str) -> str:
    found = _NAME.fullmatch(file)
    if not found:
        raise InputError(
            f"{describe(file)}, line 1: the file's name must be a number, _, and small letters, "
            "digits and _, as in 10_my_lesson.md."
        )
    return found["name"]


def _read(path: Path, name: str) -> str:
    """Return the text of a regular file."""
    try:
        # A link is refused by the system, and a pipe is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise InputError(f"{name}, line 1: this is no readable file of the folder.") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}, line 1: the file is larger than {MAX_BYTES:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{name}, line {line}: the text is not UTF-8.") from None
