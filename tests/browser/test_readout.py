"""The lines under a figure, without a figure."""

from dataclasses import asdict
from fractions import Fraction

import numpy as np

from explorer.figures.printed import ROUNDED
from explorer.links.readout import block_readout, gradient_readout
from explorer.model.variants import V1, VARIANTS
from explorer.page.asset_urls import linked_figure_url
from tests.browser.conftest import OpenPage

# Writes one line for each tuple of values, which belong to `panels`; returns each line's texts.
WRITE = """async ([url, line, panels, rows]) => {
  const { writeReadout } = await import(url);
  return rows.map((row) => {
    const node = document.createElement("div");
    const valueOf = (panel) => row[panels.indexOf(panel)];
    writeReadout(node, "", [line], valueOf);
    return [...node.lastChild.children].map((part) => part.textContent);
  });
}"""


def pairs() -> list[list[float]]:
    """Return pairs of float32 values of all sizes, each with its sum in float32."""
    rng = np.random.default_rng(0)
    ordinary = rng.normal(size=(3000, 2)).astype(np.float32)
    bits = rng.integers(0, 2**32, (4000, 2), dtype=np.uint32).view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        both = np.concatenate([ordinary, bits])
        rows = np.column_stack([both, both[:, 0] + both[:, 1]])
    return [[float(value) for value in row] for row in rows[np.isfinite(rows).all(axis=1)]]


def number(text: str) -> Fraction:
    return Fraction(text.rsplit(" ", 1)[1].replace("−", "-"))


def test_a_line_adds_up_as_printed_or_says_rounded(open_page: OpenPage) -> None:
    page = open_page("_stcore/health")
    rows = pairs()
    lines = (
        block_readout(V1, "", "", "light", False),
        block_readout(VARIANTS["full_preact"], "", "", "light", True),
        gradient_readout(V1, "light", False),
    )
    for line in lines:
        panels = [term.panel for term in line if term.kind == "value"][:3]
        written = page.evaluate(
            WRITE, [linked_figure_url("readout.js"), [asdict(t) for t in line], panels, rows]
        )
        rounded = 0
        for parts in written:
            first, plus, second, equals, total = parts[:5]
            assert (plus, equals) == ("+", "=")
            holds = number(first) + number(second) == number(total)
            assert (ROUNDED in parts) == (not holds), parts
            rounded += not holds
        assert 0 < rounded < len(rows)


def test_the_sum_of_the_issue_says_rounded(open_page: OpenPage) -> None:
    page = open_page("_stcore/health")
    line = [asdict(term) for term in block_readout(V1, "", "", "light", False)]
    (parts,) = page.evaluate(
        WRITE,
        [linked_figure_url("readout.js"), line, ["x", "bn2", "add"], [[0.8175, 1.6217, 2.4392]]],
    )
    assert parts[:6] == ["x 0.818", "+", "F(x) 1.622", "=", "add 2.439", ROUNDED]
