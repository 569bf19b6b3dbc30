"""Puts the corpus on disk and reads it in a process of its own."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.browser.server import ROOT
from tests.hostile.corpus import CASES, Case
from tests.hostile.fuzz import assert_is_one_sentence
from tests.hostile.reader import Outcome, digest


def outcomes() -> dict[str, Outcome]:
    """What became of every case, by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, case in enumerate(CASES.values()):
            (folder / str(number)).write_bytes(case.make())
        names = json.dumps([case.filename for case in CASES.values()])
        (folder / "names.json").write_text(names, encoding="utf-8")
        command = [sys.executable, "-m", "tests.hostile.reader", name]
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found = [Outcome(**{**one, "shape": tuple(one["shape"])}) for one in json.loads(run.stdout)]
    return dict(zip(CASES, found, strict=True))


def check(case: Case, outcome: Outcome) -> None:
    """Fails unless the file was read as what it holds, or refused in one fitting sentence."""
    if case.refused is not None:
        assert outcome.message is not None, f"read as {outcome.shape}"
        assert re.search(case.refused, outcome.message), outcome.message
        assert_is_one_sentence(outcome.message)
        return
    assert outcome.message is None, outcome.message
    assert outcome.shape == case.shape
    if case.values is not None:
        assert outcome.digest == digest(np.ascontiguousarray(case.values))
