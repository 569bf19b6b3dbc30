"""One table of the packages of `explorer/` and what each may import."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# For each package, from the lowest to the highest: the packages of `explorer` that it may import,
# all of them above it in the table, and the third-party packages. `__init__` is the public
# interface of the library. `server` may import everything above it, since its warm-up runs the
# page's default experiment; `page` imports nothing from `server`; only `app` joins the two.
TABLE: dict[str, tuple[str, str]] = {
    "errors": ("", "numpy"),
    "parts": ("", "numpy"),
    "inputs": ("errors", "numpy PIL"),
    "data": ("errors inputs", "numpy sklearn"),
    "model": ("errors inputs", "numpy jax flax safetensors"),
    "records": ("errors parts model", "numpy"),
    "engine": ("errors inputs data model records", "numpy jax flax optax platformdirs"),
    "analysis": ("errors parts model records", "numpy"),
    "figures": ("errors model records analysis", "numpy plotly"),
    "linked_figure": ("", "numpy plotly"),
    "links": ("errors model records analysis figures linked_figure", "numpy"),
    "export": (
        "errors inputs data model records engine analysis figures linked_figure links",
        "numpy plotly anywidget traitlets",
    ),
    "__init__": ("errors inputs data model records engine export", ""),
    "lessons": ("errors", ""),
    "page": (
        "errors inputs data model records engine analysis figures linked_figure links export "
        "lessons",
        "numpy plotly streamlit cachetools",
    ),
    "server": (
        "errors inputs data model records engine analysis figures linked_figure links export "
        "lessons page",
        "streamlit cachetools click starlette pandas prometheus_client",
    ),
    "app": ("engine page server", "streamlit starlette"),
}
MODULES = {"__init__", "errors", "parts", "records"}
# Which they load; Flax loads IPython where it is installed.
BUILT_ON = {"flax": {"optax", "traitlets"}, "streamlit": {"click", "starlette"}}
# Imports every package in the order of the table, without `explorer/__init__.py`, which would
# load the engine first; prints the third-party packages that are loaded after each.
LOAD = """
import importlib, json, pkgutil, sys, types
explorer = sys.modules["explorer"] = types.ModuleType("explorer")
explorer.__path__ = ["explorer"]
for package, modules in json.loads(sys.argv[1]).items():
    for module in modules:
        importlib.import_module(module)
    print(json.dumps([package, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def package_files() -> dict[str, list[Path]]:
    """Return the Python files of every package, and `app.py`."""
    found: dict[str, list[Path]] = {"app": [ROOT / "app.py"]}
    for path in sorted((ROOT / "explorer").rglob("*.py")):
        name = path.relative_to(ROOT / "explorer").parts[0].removesuffix(".py")
        found.setdefault(name, []).append(path)
    return found


def module_name(path: Path) -> str:
    """Return the name that a file is imported by."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def loaded_packages() -> dict[str, set[str]]:
    """Return the top-level packages loaded in a fresh interpreter, once every package of the
    table up to this one is imported."""
    files = package_files()
    # The page's script draws when it is imported, and `app` is what Streamlit imports.
    scripts = {"explorer", "explorer.page.main", "app"}
    modules = {
        package: [name for name in map(module_name, files[package]) if name not in scripts]
        for package in TABLE
    }
    output = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(modules)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    return {package: set(loaded) for package, loaded in map(json.loads, output.splitlines())}


def test_packages_import_only_what_the_table_allows() -> None:
    files = package_files()
    assert files.keys() == TABLE.keys()
    assert {path.stem for path in (ROOT / "explorer").glob("*.py")} == MODULES
    wrong = []
    for package, (own, third_party) in TABLE.items():
        above = list(TABLE)[: list(TABLE).index(package)]
        assert set(own.split()) <= set(above) - {"__init__"}, f"{package}: not above it"
        for path in files[package]:
            for name in imports(path):
                top, _, rest = name.partition(".")
                if top == "explorer":
                    legal = rest.partition(".")[0] in {package, *own.split()}
                else:
                    legal = top in sys.stdlib_module_names or top in third_party.split()
                if not legal:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    every = {name for _, third_party in TABLE.values() for name in third_party.split()}
    allowed: set[str] = set()
    for package, loaded in loaded_packages().items():
        names = set(TABLE[package][1].split())
        allowed |= names.union(*(BUILT_ON.get(name, ()) for name in names))
        wrong += [f"{package} loads {name}" for name in sorted(loaded & (every - allowed))]
    assert not wrong
