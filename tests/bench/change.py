"""Time of a change on an open page, from the key press or click to the painted images."""

from collections.abc import Callable

from playwright.sync_api import Page

# Painting is detected by the figure's images, since some pages replace the whole figure.
WATCH = """images => {
  window.painted = window.pressed = undefined;
  const hrefs = () => [...document.querySelectorAll(images)]
      .map((image) => image.getAttribute('href')).join();
  const before = hrefs();
  const begin = (event) => {
    if (window.pressed) return;
    window.pressed = event.timeStamp;
    const done = () => { window.painted = performance.now(); };
    const look = () => {
      const now = hrefs();
      // A frame's callback runs before painting; a task queued by it runs after painting.
      if (now && now !== before) setTimeout(done);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  for (const kind of ['keydown', 'pointerup']) {
    document.addEventListener(kind, begin, { once: true, capture: true });
  }
}"""


def change_time(page: Page, images: str, act: Callable[[], None]) -> float:
    """Return the milliseconds from what `act` does to the end of the frame with other images."""
    page.evaluate(WATCH, images)
    act()
    page.wait_for_function("() => window.painted")
    return float(page.evaluate("window.painted - window.pressed"))
