"""Tests of the wheel, as installed in a folder of its own and used from another folder."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
# Makes the start of a server print its options, except a random one and one that is paths.
OPTIONS = """
import json
from streamlit import config
from streamlit.web import bootstrap
def report(*_):
    options = config.get_config_options()
    for name in ("server.cookieSecret", "secrets.files"):
        del options[name]
    print(json.dumps({name: option.value for name, option in options.items()}))
bootstrap.run_asgi_app = report
"""
MAKE_RUN = OPTIONS + "from streamlit.web.cli import main; main()"
COMMAND = (
    OPTIONS
    + """
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="residual-block-explorer")
command.load()()
"""
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the wheel is installed, without its dependencies."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-index", "--no-compile", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def run_python(code: str, *arguments: str, folder: Path, path: Path | None = None) -> str:
    """Return what the code prints, run in `folder` with `path` as the only added import path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_every_file_of_the_package(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return {str(path) for path in found if "__pycache__" not in path.parts}

    app = {"server/_app/app.py", "server/_app/.streamlit/config.toml"}
    assert files(installed / "explorer") == files(ROOT / "explorer") | app


def test_the_notebook_example_of_the_readme_runs(installed: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    code = "\n".join([*blocks, "import explorer; print(explorer.__file__)"])
    output = run_python(code, folder=tmp_path, path=installed)
    assert output.splitlines()[-1] == str(installed / "explorer" / "__init__.py")


def test_the_command_has_the_options_of_make_run(installed: Path, tmp_path: Path) -> None:
    """The folder of the command has a configuration of its own, which must not matter."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')

    def options(code: str, *arguments: str, folder: Path, path: Path | None = None) -> Any:
        return json.loads(run_python(code, *arguments, folder=folder, path=path))

    make_run = options(MAKE_RUN, "run", "app.py", folder=ROOT)
    command = options(COMMAND, folder=tmp_path, path=installed)
    assert command == make_run
    assert (command["server.address"], command["server.port"]) == ("127.0.0.1", 8501)
    with_port = options(COMMAND, "--server.port", "8599", folder=tmp_path, path=installed)
    assert with_port == make_run | {"server.port": 8599, "browser.serverPort": 8599}
    assert "streamlit run app.py\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_command_names_what_to_install(installed: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['streamlit'] = None\n"
    code += "from explorer.server.cli import main\ntry: main()\nexcept SystemExit as e: print(e)"
    sentence = run_python(code, folder=tmp_path, path=installed)
    assert sentence.startswith("The page needs packages that are not installed")
    assert sentence.endswith("; run: pip install 'residual-block-explorer[page]'\n")


def test_the_tested_versions_are_within_the_declared_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["page"]]
    declared = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    tested = [Requirement(line) for line in requirements if line and not line.startswith("#")]
    assert {canonicalize_name(requirement.name) for requirement in tested} == declared.keys()
    for requirement in tested:
        for bound in requirement.specifier:
            assert Version(bound.version) in declared[canonicalize_name(requirement.name)]
    (notebook,) = project["optional-dependencies"]["notebook"]
    lines = (ROOT / "tests" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (version,) = (line.partition("==")[2] for line in lines if line.startswith("anywidget=="))
    assert Version(version) in Requirement(notebook).specifier
