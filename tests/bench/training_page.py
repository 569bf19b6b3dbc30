"""Time on the page from the click on Train, on a fresh server with an empty compilation cache."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.starts import limited, started
from tests.bench.table import Row

RUNS = 3
LINK = "?view=train&net_blocks=8&net_steps=180&net_seed={seed}"  # of a seed that is not shipped
FIRST_POINT, TRAINED = 4_000, 12_000  # limits in milliseconds
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
    found = [_times(seed) for seed in range(1, 1 + RUNS)]
    first, trained = (list(times) for times in zip(*found, strict=True))
    return [
        limited("Train, empty compilation cache: first point of the curves", first, FIRST_POINT),
        limited("the same: two networks of 8 blocks, 180 steps", trained, TRAINED),
    ]


def _times(seed: int) -> tuple[float, float]:
    """Return the milliseconds from the click to the first point and to the last one."""
    folder = Path(tempfile.mkdtemp())
    with started(folder) as (page, address, _):
        page.goto(f"{address}/{LINK.format(seed=seed)}")
        button = page.get_by_role("button", name="Train", exact=True)
        button.wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate(WATCH)
        button.click()
        times = _wait(page, "first"), _wait(page, "trained")
    shutil.rmtree(folder)
    return times


def _wait(page: Page, name: str) -> float:
    page.wait_for_function(f"() => window.{name}", timeout=120_000)
    return float(page.evaluate(f"window.{name}"))
