"""The lessons of the page: the shipped ones and those of the operator's folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st

from explorer.errors import InputError
from explorer.lessons import FolderContent, Lesson, Step, read_folder, shipped_lessons
from explorer.page.link_state import (
    check,
    forget_setting,
    is_new_link,
    open_settings,
    publish,
    restore,
    setting,
)

FOLDER = "EXPLORER_LESSONS"  # environment variable: a folder with lessons for all users
_OF_LESSONS = "lesson", "step", "present"  # parameters that are no settings of a step


@dataclass(frozen=True)
class Place:
    """A step of a lesson that is shown; `index` counts from 0."""

    lesson: Lesson
    index: int

    @property
    def step(self) -> Step:
        """The step."""
        return self.lesson.steps[self.index]

    @property
    def number(self) -> int:
        """The step's number in the URL, from 1."""
        return self.index + 1

    @property
    def previous(self) -> "Place | None":
        """The step before; None at the first."""
        return Place(self.lesson, self.index - 1) if self.index else None

    @property
    def next(self) -> "Place | None":
        """The step after; None at the last."""
        is_last = self.number == len(self.lesson.steps)
        return None if is_last else Place(self.lesson, self.index + 1)


def all_lessons() -> Mapping[str, Lesson]:
    """Return all lessons by name."""
    return {lesson.name: lesson for lesson in (*shipped_lessons(), *own_lessons().lessons)}


def own_lessons() -> FolderContent:
    """Return what the operator's folder holds; nothing without a folder."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return FolderContent()
    try:
        with os.scandir(folder) as entries:
            stats = [(each.name, each.stat(follow_symlinks=False)) for each in entries]
    except OSError as error:
        return FolderContent(problems=(f"The folder of lessons cannot be read: {error.strerror}.",))
    files = [(name, found.st_mtime_ns, found.st_size) for name, found in stats]
    return _read(folder, tuple(sorted(files)))


@lru_cache(maxsize=1)
def _read(folder: str, files: tuple[tuple[str, int, int], ...]) -> FolderContent:
    """Read a folder; again only after one of its files has changed."""
    try:
        return read_folder(Path(folder), {lesson.name for lesson in shipped_lessons()})
    except InputError as problem:
        return FolderContent(problems=(str(problem),))


def place() -> Place | None:
    """Return the step that the session shows, as the URL has it; None outside the lessons."""
    lessons, is_named = all_lessons(), "lesson" in st.query_params
    restore("lesson", lambda text: text if text in lessons else None, f"one of {_list(lessons)}")
    lesson = lessons.get(setting("lesson", ""))
    publish("lesson", lesson and lesson.name, None)
    if lesson is None:
        if not is_named:
            check("step", lambda text: False, "a step of a lesson, which the URL must name too")
        publish("step", None, None)
        return None
    count = len(lesson.steps)
    legal = {str(number): number for number in range(1, count + 1)}
    restore("step", legal.get, f"an integer from 1 to {count}")
    number = min(setting("step", 1), count)
    publish("step", number, None)
    return Place(lesson, number - 1)


def lesson_after(shown: Place) -> Place | None:
    """Return the first step of the lesson that follows; None in the last lesson."""
    lessons = list(all_lessons().values())
    at = lessons.index(shown.lesson) + 1
    return Place(lessons[at], 0) if at < len(lessons) else None


def complete_link() -> None:
    """Open the step of a URL that names nothing but a step of a lesson."""
    if not is_new_link() or set(st.query_params) - set(_OF_LESSONS):
        return
    lesson = all_lessons().get(st.query_params.get("lesson", ""))
    number = st.query_params.get("step", "1")
    if lesson and number in map(str, range(1, len(lesson.steps) + 1)):
        open_step(Place(lesson, int(number) - 1))


def open_step(wanted: Place) -> None:
    """Give the page the settings of a step: those that it does not name have their defaults."""
    names = {"lesson": wanted.lesson.name, "step": str(wanted.number)}
    open_settings({**_kept(), **names, **wanted.step.link})


def leave_lesson() -> None:
    """Leave the lesson; the page stays as it is."""
    for key in ("lesson", "step"):
        forget_setting(key)
        publish(key, None, None)


def _kept() -> dict[str, str]:
    """Return the URL parameters that are the same in every step."""
    present = st.query_params.get_all("present")
    return {"present": present[0]} if len(present) == 1 else {}


def _list(names: Mapping[str, Lesson]) -> str:
    return ", ".join(names)
