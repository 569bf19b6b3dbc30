"""Where the time of a change goes: server, Streamlit, Plotly, painting; and compilation."""

import statistics
import time

import numpy as np
from playwright.sync_api import Page, sync_playwright

from explorer import Model, trace_block, trace_model
from tests.bench import what_if
from tests.bench.browser import CASES, RUNS, Change, alone, opened, paging, stepping, typing
from tests.bench.change import change_time
from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import PLOT, wait_for_heatmaps, wait_until_ready
from tests.browser.server import running_page

# Notes when the last message of the server came, and when Plotly began and ended to draw.
WRAP = """() => {
  const react = Plotly.react;
  Plotly.react = function (...given) {
    window.begun = performance.now();
    const drawn = react.apply(this, given);
    window.ended = performance.now();
    return drawn;
  };
}"""
LISTEN = """
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', () => {
        if (!(window.begun > window.pressed)) window.received = performance.now();
      });
    }
  };
"""
# Times ways to draw other values in the same heatmaps, one after the other.
REDRAW = """async ([plot, runs]) => {
  const node = document.querySelector(plot);
  const heatmaps = node._fullData.filter(({ type }) => type === 'heatmap');
  const [indices, values] = [heatmaps.map(({ index }) => index), heatmaps.map(({ z }) => z)];
  const negative = values.map((z) => z.map((row) => row.map((value) => value && -value)));
  const ways = {
    'Plotly.react': (z) => Plotly.react(
      node,
      node.data.map((each, i) => ({ ...each, z: z[indices.indexOf(i)] ?? each.z })),
      { ...node.layout },
    ),
    'Plotly.restyle': (z) => Plotly.restyle(node, { z }, indices),
    'Plotly.restyle with zsmooth fast': (z) => Plotly.restyle(node, { z }, indices),
    'Plotly.restyle without titles': (z) => Plotly.restyle(node, { z }, indices),
  };
  const times = {};
  for (const [name, draw] of Object.entries(ways)) {
    await Plotly.restyle(node, { zsmooth: name.endsWith('fast') ? 'fast' : false }, indices);
    if (name.endsWith('titles')) await Plotly.relayout(node, { annotations: [] });
    times[name] = [];
    for (let run = 0; run < runs; run++) {
      const start = performance.now();
      await draw(run % 2 ? values : negative);
      times[name].push(performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
  }
  return times;
}"""
READ = "() => [window.pressed, window.received, window.begun, window.ended, window.painted]"


def rows() -> list[Row]:
    """Measure the rows of the table."""
    small, large = "32×32×8", "1024×1024×8"
    found = []
    with running_page() as ours, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        with opened(browser, f"{ours}/{CASES[small]}", LISTEN) as (page, _):
            found += _profile(page, f"{small}: new seed", typing(page, "Seed of the weights", RUNS))
            found += _profile(page, f"{small}: channel by key", paging(page))
            for way, drawn in page.evaluate(REDRAW, [PLOT, RUNS]).items():
                found.append(alone(f"{small}: other values, repeated, {way}", drawn))
        with opened(browser, f"{ours}/{CASES[large]}", LISTEN) as (page, _):
            found += _profile(page, f"{large}: channel by key", paging(page))
        link = f"{CASES[small]}&view=what_if&variant=zero_gamma&gamma2=0.05"
        with opened(browser, f"{ours}/{link}", LISTEN) as (page, _):
            step = stepping(page, "γ₂")
            found += _profile(page, f"What if, {small}: a step of γ₂", step, what_if.PLOT)
        browser.close()
    return [*found, *_compilation(small)]


def _profile(page: Page, what: str, change: Change, plot: str = PLOT) -> list[Row]:
    """Return the rows of a change of a page that has just been opened, or has been at rest."""
    wait_for_heatmaps(page, plot)
    wait_until_ready(page)
    page.wait_for_timeout(1000)
    page.evaluate(WRAP)
    times = []
    for run in range(RUNS):
        act = change(run)
        change_time(page, f"{plot} .heatmaplayer image", act)
        times.append(page.evaluate(READ))
        page.wait_for_timeout(300)
        wait_until_ready(page)
    return _rows(what, times)


def _compilation(name: str) -> list[Row]:
    """Return the rows of the programs that the first use of a variant compiles."""
    shape = tuple(map(int, name.split("×")))
    x = np.zeros(shape, np.float32)
    parts: dict[str, list[float]] = {"weights": [], "stages": []}
    trace_block(0, x, shape[2])
    for variant in what_if.NAMES:
        start = time.perf_counter()
        model = Model.from_seed(0, shape[2], variant)
        drawn = time.perf_counter()
        trace_model(model, x)
        parts["weights"].append(1000 * (drawn - start))
        parts["stages"].append(1000 * (time.perf_counter() - drawn))
    title = f"What if, {name}: first use of a variant, program of its"
    return [alone(f"{title} {part}", times) for part, times in parts.items()]


def _rows(what: str, times: list[list[float]]) -> list[Row]:
    """Return a row for each stretch of a change whose moments are those of `READ`."""
    for pressed, _, begun, ended, painted in times:
        assert pressed < begun < ended < painted
    # Whether the browser has the figure, and need not wait for a message.
    is_here = statistics.median(received - pressed for pressed, received, *_ in times) < 0
    start = "key press" if is_here else "last message"
    parts = {
        "key press to last message": [received - pressed for pressed, received, *_ in times],
        f"{start} to Plotly.react": [each[2] - max(each[:2]) for each in times],
        "Plotly.react": [each[3] - each[2] for each in times],
        "end of Plotly.react to painted": [each[4] - each[3] for each in times],
    }
    if is_here:
        del parts["key press to last message"]
    return [alone(f"{what}, {part}", found) for part, found in parts.items()]
