"""Lessons: texts that lead through states of the page, as data."""

from explorer.lessons.folder import FolderContent, read_folder, shipped_lessons
from explorer.lessons.lesson import Lesson, Step, parse_lesson
from explorer.lessons.markup import Number, Passage

__all__ = [
    "FolderContent",
    "Lesson",
    "Number",
    "Passage",
    "Step",
    "parse_lesson",
    "read_folder",
    "shipped_lessons",
]
