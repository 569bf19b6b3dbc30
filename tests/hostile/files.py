"""Write the corpus to disk, read it in a separate process and check the results."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.helpers import ROOT
from tests.hostile.case import Case
from tests.hostile.corpus import CASES
from tests.hostile.file_process import ReadResult, array_digest
from tests.hostile.fuzz import assert_is_error_message


def read_corpus() -> dict[str, ReadResult]:
    """Return the result of every case, by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, case in enumerate(CASES.values()):
            (folder / str(index)).write_bytes(case.make())
        names = json.dumps([case.filename for case in CASES.values()])
        (folder / "names.json").write_text(names, encoding="utf-8")
        command = [sys.executable, "-m", "tests.hostile.file_process", name]
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    results = [
        ReadResult(**{**fields, "shape": tuple(fields["shape"])})
        for fields in json.loads(run.stdout)
    ]
    return dict(zip(CASES, results, strict=True))


def check(case: Case, result: ReadResult) -> None:
    """Assert that the file was read with its values, or rejected with a fitting message."""
    if case.error is not None:
        assert result.message is not None, f"read as {result.shape}"
        assert re.search(case.error, result.message), result.message
        assert_is_error_message(result.message)
        return
    assert result.message is None, result.message
    assert result.shape == case.shape
    if case.values is not None:
        assert result.digest == array_digest(np.ascontiguousarray(case.values))
