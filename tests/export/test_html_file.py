"""A trace's living page as a file; what the browser does with it, tests/browser has."""

import json
from base64 import b64decode
from dataclasses import replace
from gzip import decompress
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer.errors import InputError
from explorer.export import html_file
from explorer.linked_figure.plotly_script import plotly_script
from explorer.model.variants import V1
from tests.helpers import network_trace, noise

TRACE = explorer.trace_block(3, noise((4, 5, 2)), 2)


def unpacked(page: str, name: str) -> bytes:
    """Return what an element of the page holds."""
    start = page.index(f'id="{name}">') + len(f'id="{name}">')
    return decompress(b64decode(page[start : page.index("</script>", start)]))


def test_the_page_holds_plotly_and_every_value_of_the_trace(tmp_path: Path) -> None:
    explorer.to_html(TRACE, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert unpacked(page, "plotly") == plotly_script()
    content = json.loads(unpacked(page, "messages"))
    stored = {array["bdata"] for array in content["arrays"]}
    for stage in TRACE.stages.values():
        for channel in range(2):
            values = np.ascontiguousarray(stage[:, :, channel])
            assert any(b64decode(data) == values.tobytes() for data in stored)
    assert [len(content["messages"][theme]) for theme in ("light", "dark")] == [2, 2]
    assert "Weights: seed 3. Input of 4×5 pixels and 2 channels, train mode." in page
    assert f"Digest of out: {TRACE.digest()}." in page
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_failed_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "page.html"
    target.write_text("before", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match=r"cannot be written: No space left on device\."):
        explorer.to_html(TRACE, target)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert target.read_text(encoding="utf-8") == "before"


@pytest.mark.parametrize("path", ["none/page.html", "null\0/page.html", ""])
def test_a_path_that_cannot_be_written_is_named(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        explorer.to_html(TRACE, path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_too_large_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_file, "MAX_BYTES", 1000)
    monkeypatch.setattr(html_file, "all_messages", None)
    with pytest.raises(InputError, match=r"arrays take up .* MB; a page holds"):
        explorer.to_html(TRACE, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


class Tags(HTMLParser):
    """Collects the elements of a page, and the values of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.values: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.values += [value for _, value in attrs]


def test_no_word_becomes_an_element_of_the_page() -> None:
    words = "</title></script><img src=x onerror=alert(1)> '\" & \n\u202e"
    spec = replace(V1, title=words)
    model = replace(explorer.Model.from_seed(3, 2, spec), provenance=words)
    trace = explorer.trace_model(model, noise((4, 5, 2)))
    usual = Tags(html_file.trace_page(TRACE, link="https://example.org/?seed=3"))
    link = f"https://example.org/?seed={words}"
    found = Tags(html_file.trace_page(trace, link=link))
    assert found.names == usual.names
    assert link in found.values
    network = network_trace(V1, 1)
    pages = [
        html_file.network_page(network, title=each, description=each, link="javascript:alert(1)")
        for each in ("usual", words)
    ]
    assert Tags(pages[0]).names == Tags(pages[1]).names
    assert "javascript:" not in pages[0]
