import re

import pytest

from explorer.linked_figure import scripts as module
from explorer.linked_figure.scripts import ENTRY, PICTURE, PRELOAD, scripts, scripts_digest

PRIVATE = re.compile(r"\b(_fullLayout|_fullData|_offset|_length|p2d|d2p)\b")
IMPORT = re.compile(r'^(?:import|export) .*?from "(.*?)";', re.MULTILINE | re.DOTALL)


def test_only_geometry_reads_private_fields_of_plotly() -> None:
    readers = {name for name, script in scripts().items() if PRIVATE.search(script.decode())}
    assert readers == {"geometry.js"}


def test_every_module_is_reached_from_an_entry() -> None:
    reached, ahead = set(), [ENTRY, PICTURE, PRELOAD]
    while ahead:
        name = ahead.pop()
        reached.add(name)
        found = IMPORT.findall(scripts()[name].decode())
        assert all(source.startswith("./") for source in found), name
        ahead += {source.removeprefix("./") for source in found} - reached
    assert reached == set(scripts())


def test_the_modules_know_nothing_of_hosts_and_networks() -> None:
    words = re.compile(r"streamlit|resnet|residual|conv\d|bn\d", re.IGNORECASE)
    found = {name: words.findall(script.decode()) for name, script in scripts().items()}
    assert not any(found.values()), found


def test_the_digest_changes_with_any_module(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scripts_digest()
    for name, script in scripts().items():
        changed = {**scripts(), name: script + b"\n"}
        monkeypatch.setattr(module, "scripts", lambda changed=changed: changed)
        assert scripts_digest.__wrapped__() != before, name
        monkeypatch.undo()
    assert scripts_digest.__wrapped__() == before
