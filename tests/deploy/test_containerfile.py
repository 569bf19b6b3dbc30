"""Tests of `deploy/Containerfile` that need no program to build it."""

import json
import re
import tomllib

from packaging.specifiers import SpecifierSet

from tests.deploy.containerfile import ROOT, entrypoint, instructions, port, user

HEALTH = "/_stcore/health"


def test_it_copies_what_the_page_needs() -> None:
    sources = {line.split()[0] for line in instructions("COPY")}
    assert sources == {"requirements.txt", "app.py", ".streamlit", "explorer"}
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == sources


def test_it_has_the_python_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (image,) = instructions("FROM")
    found = re.fullmatch(r"python:(3\.\d+)-slim-bookworm", image)
    assert found
    assert SpecifierSet(project["project"]["requires-python"]) == SpecifierSet(f">={found[1]}")
    assert project["tool"]["ruff"]["target-version"] == f"py{found[1].replace('.', '')}"


def test_it_runs_the_command_of_make_run() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert " ".join(entrypoint()[:3]) == "streamlit run app.py"
    assert "/streamlit run app.py\n" in makefile
    assert "pip install --no-cache-dir -r requirements.txt" in instructions("RUN")
    assert instructions("CMD") == []


def test_it_runs_as_a_user_that_owns_only_the_cache() -> None:
    number, group = user()
    assert min(number, group) >= 10_000
    (folder,) = instructions("VOLUME")
    assert f"XDG_CACHE_HOME={folder}" in instructions("ENV")
    (created,) = [line for line in instructions("RUN") if "useradd" in line]
    assert f"--uid {number} " in created
    assert f"install --directory --owner=explorer --group=explorer {folder}" in created
    assert "chown" not in " ".join([*instructions("RUN"), *instructions("COPY")])


def test_its_port_and_health_are_the_page_s() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert port() == config["server"]["port"]
    assert "--server.address=0.0.0.0" in entrypoint()
    (check,) = instructions("HEALTHCHECK")
    command = json.loads(check.partition(" CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert f"'http://127.0.0.1:{port()}{HEALTH}'" in command[2]
