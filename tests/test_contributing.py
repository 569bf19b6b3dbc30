"""CONTRIBUTING.md names functions and files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_file_exists() -> None:
    paths = re.findall(r"`((?:explorer|tests)/[^`]*|app\.py|\.ci/run)`", TEXT)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_name_is_defined_in_the_file_named_with_it() -> None:
    pairs = re.findall(r"`(\w+)`\s+(?:in|of)\s+`(explorer/[^`]+\.\w+)`", TEXT)
    assert len(pairs) >= 12
    for name, path in pairs:
        source = (ROOT / path).read_text(encoding="utf-8")
        definition = rf"^\s*(?:async |export |default )*(?:def |class |function )?{name}\s*[(:=]"
        assert re.search(definition, source, re.MULTILINE), f"{path} does not define {name}"


def test_the_walk_has_at_most_twelve_steps() -> None:
    walk = TEXT.split("## How x travels")[1].split("\n## ")[0]
    numbers = [int(step) for step in re.findall(r"^(\d+)\. ", walk, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= 12
