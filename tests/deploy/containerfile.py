"""The instructions of `deploy/Containerfile`."""

import json
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATH = ROOT / "deploy" / "Containerfile"


def instructions(name: str) -> list[str]:
    """Return what follows each instruction of this name, such as `COPY`, on one line each."""
    text = re.sub(r"^#.*\n", "", PATH.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.removeprefix(f"{name} ").strip() for line in lines if line.startswith(f"{name} ")]


def entrypoint() -> list[str]:
    """Return the command that the container runs."""
    (command,) = instructions("ENTRYPOINT")
    found: list[str] = json.loads(command)
    return found


def port() -> int:
    """Return the port of the page."""
    (number,) = instructions("EXPOSE")
    return int(number)


def user() -> tuple[int, int]:
    """Return the numbers of user and group that the container runs as."""
    user, group = instructions("USER")[-1].split(":")
    return int(user), int(group)


def image() -> str:
    """Return the name that the image is built with."""
    (command,) = re.findall(r"^# +docker (build .*)$", PATH.read_text("utf-8"), re.MULTILINE)
    words = shlex.split(command)
    return words[words.index("-t") + 1]
