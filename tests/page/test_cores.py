import os
from pathlib import Path

import pytest

from explorer.page.cores import usable_cores


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("200000 100000\n", 2),
        ("350000 100000\n", 3),
        ("50000 100000\n", 1),
        ("6400000 100000\n", 16),
        ("max 100000\n", 16),
        ("", 16),
        (None, 16),
    ],
)
def test_the_limit_of_a_container_counts(
    limit: str | None, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit, encoding="ascii")
    assert usable_cores(tmp_path / "cpu.max") == cores
