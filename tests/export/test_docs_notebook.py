"""The notebook in docs/ runs from top to bottom, and holds no outputs."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from explorer.export.stage_widget import StageWidget

PATH = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
CELLS = json.loads(PATH.read_text(encoding="utf-8"))["cells"]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; return the value of its last line, which a notebook shows."""
    module = ast.parse(source)
    last = module.body.pop() if isinstance(module.body[-1], ast.Expr) else None
    exec(compile(module, "<cell>", "exec"), names)
    return eval(ast.unparse(last), names) if last else None


def test_every_cell_runs_and_its_widgets_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    shown = [run_cell(source, names) for source in code]
    assert sum(isinstance(value, StageWidget) for value in shown) == 3
    assert names["trace"]["add"][*names["widget"].pin[1:], 1] == names["trace"]["add"][..., 1].min()
    assert (tmp_path / "block.html").stat().st_size > 500_000
    assert "digest of out" in capsys.readouterr().out


def test_it_holds_no_outputs() -> None:
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in CELLS)
