"""The house's import rule: data flows one way, and lower rooms know nothing of upper ones."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each room may import from those before it, and from files of its own.
ROOMS = [
    ("errors",),
    ("inputs",),
    ("memory", "programs"),
    ("block",),
    ("layers",),
    ("specs",),
    ("variants",),
    ("trace",),
    ("nnx_source", "state_tree", "linen_parity", "gradients"),
    ("stack",),
    ("depth", "ablations", "paths"),
    ("detail", "analysis", "arithmetic", "distributions", "outcomes", "gallery", "view"),
    ("figures",),
    ("page",),
]
RANK = {name: rank for rank, names in enumerate(ROOMS) for name in names}
MAY_NAME_JAX = {"block", "layers", "specs", "variants", "trace", "state_tree", "linen_parity"}
MAY_NAME_JAX |= {"programs", "gradients", "stack", "depth", "paths"}
FILES = sorted(path for path in (ROOT / "explorer").rglob("*.py") if path.parent.name != "explorer")
FILES += sorted(path for path in (ROOT / "explorer").glob("*.py") if path.stem != "__init__")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = [module_name(path) for path in FILES]


def imports(path: Path) -> set[str]:
    """Every module named by an import anywhere in a file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            base = str(node.module)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=MODULES)
def test_a_room_imports_only_what_stands_before_it(path: Path) -> None:
    room = module_name(path).split(".")[1]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "explorer":
            assert RANK[parts[1]] <= RANK[room], f"{path.name} imports {name}"
        if parts[0] in ("jax", "flax"):
            assert room in MAY_NAME_JAX, f"{path.name} imports {name}"
        if room == "figures":
            assert parts[:2] != ["explorer", "block"]


@pytest.mark.parametrize("module", [name for name in MODULES if ".page" not in name])
def test_lower_rooms_load_without_streamlit_and_plotly(module: str) -> None:
    """Also by way of what they import: a fresh interpreter tells."""
    code = f"import sys, {module}; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "streamlit" not in loaded
    if not module.startswith("explorer.figures"):
        assert "plotly" not in loaded
