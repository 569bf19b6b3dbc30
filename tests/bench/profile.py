"""Where the time of a change goes, on the page at 32×32×8: server, Streamlit, Plotly, painting."""

import statistics

from playwright.sync_api import sync_playwright

from tests.bench.browser import CASES, RUNS, alone, opened, paging, typing
from tests.bench.change import change_time
from tests.bench.table import Row
from tests.browser import chromium
from tests.browser.page import PLOT, wait_for_figure, wait_until_ready
from tests.browser.server import running_page

NAME = "32×32×8"
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
    found = []
    with running_page() as ours, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        with opened(browser, f"{ours}/{CASES[NAME]}", LISTEN) as (page, _):
            wait_for_figure(page)
            page.wait_for_timeout(1000)
            page.evaluate(WRAP)
            changes = {
                "new seed": typing(page, "Seed of the weights", RUNS),
                "channel by key": paging(page),
            }
            for what, change in changes.items():
                times = []
                for run in range(RUNS):
                    act = change(run)
                    change_time(page, f"{PLOT} .heatmaplayer image", act)
                    times.append(page.evaluate(READ))
                    page.wait_for_timeout(300)
                    wait_until_ready(page)
                found += _rows(f"{NAME}: {what}", times)
            for way, drawn in page.evaluate(REDRAW, [PLOT, RUNS]).items():
                found.append(alone(f"{NAME}: other values, repeated, {way}", drawn))
        browser.close()
    return found


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
