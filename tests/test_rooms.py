"""The house's import rule: data flows one way, and lower rooms know nothing of upper ones."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "explorer").rglob("*.py")
)
BELOW_PAGE = [name for name in MODULES if not name.startswith("explorer.page")]


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", BELOW_PAGE)
def test_lower_rooms_import_without_the_upper_ones(module: str) -> None:
    loaded = loaded_by(module)
    assert "streamlit" not in loaded
    if not module.startswith("explorer.figures"):
        assert "plotly" not in loaded


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.startswith(("explorer.figures", "explorer.page"))]
)
def test_upper_rooms_do_not_name_jax(module: str) -> None:
    path = ROOT / Path(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    lines = source.read_text(encoding="utf-8").splitlines()
    imports = [
        line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))
    ]
    assert not {"jax", "flax"} & set(imports)
    if module.startswith("explorer.figures"):
        assert "from explorer.block" not in "\n".join(lines)
