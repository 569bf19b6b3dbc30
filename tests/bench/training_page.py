"""Time on the page from the click on Train, on a server that has just started."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.starts import limited, started
from tests.bench.table import Row

RUNS = 3
LINK = "?view=train&net_blocks=8&net_steps=180&net_seed={seed}"  # of a seed that is not shipped
LIMITS = {  # in milliseconds
    "first point of a curve": 4_000,
    "two networks of 8 blocks, 180 steps": 12_000,
}
# A curve has a first point; the button offers to train again.
WATCH = """() => {
  window.first = window.trained = undefined;
  const find = (text) => [...document.querySelectorAll('button')].find(
    (button) => button.textContent.trim() === text);
  document.addEventListener('click', () => {
    const clicked = performance.now();
    const look = () => {
      const plot = document.querySelector('.linked-figure .js-plotly-plot');
      if (plot?.data.some((curve) => curve.x.length)) window.first ??= performance.now() - clicked;
      if (window.first && find('Train again')) window.trained = performance.now() - clicked;
      else setTimeout(look, 20);
    };
    look();
  }, { once: true, capture: true });
}"""


def rows() -> list[Row]:
    """Measure the rows of the table for training on the page."""
    empty, filled = [], []
    for run in range(RUNS):
        folder = Path(tempfile.mkdtemp())
        empty.append(_times(folder, 2 * run + 1))
        filled.append(_times(folder, 2 * run + 2))
        shutil.rmtree(folder)
    return [
        limited(f"Train, {cache} compilation cache: {what}", [each[part] for each in times], limit)
        for cache, times in (("empty", empty), ("filled", filled))
        for part, (what, limit) in enumerate(LIMITS.items())
    ]


def _times(folder: Path, seed: int) -> tuple[float, float]:
    """Return the milliseconds from the click to the first point and to the last one."""
    with started(folder) as (page, address, _):
        page.goto(f"{address}/{LINK.format(seed=seed)}")
        button = page.get_by_role("button", name="Train", exact=True)
        button.wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate(WATCH)
        button.click()
        return _wait(page, "first"), _wait(page, "trained")


def _wait(page: Page, name: str) -> float:
    page.wait_for_function(f"() => window.{name}", timeout=120_000)
    return float(page.evaluate(f"window.{name}"))
