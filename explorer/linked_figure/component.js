/**
 * A Plotly figure whose panels are linked pixel by pixel.
 *
 * A host makes one `LinkedFigure` for an element and calls `show` with every message of
 * payload.py. Hover, pin and keys are handled here, without the host; `host.state` reports
 * what lasts (pin, window, box, theme), `host.trigger` what happens once (pick, step).
 * @import { Cell, Point } from "./geometry.js"
 * @import { Link, Message, Pixel, Value } from "./payload.js"
 * @import { Pen } from "./overlay.js"
 * @import { Choice } from "./views.js"
 * @import { PlotNode, Plotly } from "./plotly.js"
 */

import { formatValue } from "./format.js";
import { clamp, figureSize, Panel, panelsOf } from "./geometry.js";
import { Input } from "./input.js";
import { axesOf, fitLayout, pageTheme } from "./layout.js";
import { loadPlotly } from "./load_plotly.js";
import { Overlay } from "./overlay.js";
import { addChild, PixelCard } from "./pixel_card.js";
import { spokenReadout, spokenText } from "./readout.js";
import { Views } from "./views.js";
import { rangeOf, rangesOf, whole, Zoom } from "./zoom.js";

const REPORT_DELAY = 120; // milliseconds without a change before it is reported to the host
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };
const STALE = "Last result, of earlier settings";
const LOAD_ERROR = "plotly.js could not be loaded. Reload the page to try again.";

/**
 * @typedef {object} Host
 * @property {(name: string, value: unknown) => void} state
 * @property {(name: string, value: unknown) => void} trigger
 */

/** @type {WeakMap<Element, LinkedFigure>} */
const figures = new WeakMap();

/**
 * Return the figure in an element.
 * @param {Element} root
 */
export const figureOf = (root) => figures.get(root);

export class LinkedFigure {
  /** @param {HTMLElement} root an element of the class `linked-figure` */
  constructor(root) {
    this.root = root;
    figures.set(root, this);
    this.plot = /** @type {PlotNode} */ (addChild(root, "div", "linked-figure-plot"));
    const canvas = /** @type {HTMLCanvasElement} */ (addChild(root, "canvas", ""));
    this.overlay = new Overlay(canvas);
    // Their texts run together; the label and the readout say what they show.
    for (const drawn of [this.plot, canvas]) drawn.setAttribute("aria-hidden", "true");
    this.note = addChild(root, "div", "linked-figure-stale-note");
    this.card = new PixelCard(root);
    this.spoken = addChild(root, "div", "linked-figure-spoken");
    this.spoken.setAttribute("aria-live", "polite");
    /** @type {Panel[]} */
    this.panels = [];
    /** @type {Link | null} */
    this.link = null;
    /** @type {Pixel | null} */
    this.pin = null;
    /** @type {Pixel | null} */
    this.cursor = null;
    /** @type {Pixel | null} the pin as it was before the last click */
    this.previousPin = null;
    /** @type {string | null} the pin that the host has not acknowledged yet */
    this.pendingPin = null;
    /** @type {Map<string, number>} */
    this.timers = new Map();
    /** @type {Message | null} the message on screen */
    this.drawn = null;
    this.zoom = new Zoom(
      () => (this.link?.mode === "box" ? [] : this.panels.filter((panel) => panel.isZoomable)),
      () => this.drawView(),
    );
    this.views = new Views();
    this.steps = 0; // of channels that the host has not heard of
    this.frame = 0;
    this.revision = "";
    /** @type {string[]} names of the panels' axes */
    this.axes = [];
    this.space = 0;
    this.scale = 1;
    this.title = "";
    this.said = ""; // of a pixel
    this.input = new Input(root, this.plot, {
      hover: (point) => this.hover(point),
      press: (point) => this.panels.some((panel) => panel.contains(point)),
      drag: (from, to) => this.drag(from, to),
      drop: (from, to) => this.drop(from, to),
      hold: (point) => this.zoom.hold(point),
      zoom: (place, factor) => this.zoom.change(place, factor),
      click: (point, isDouble) => this.click(point, isDouble),
      move: (down, right, isPanel) => this.move(down, right, isPanel),
      pinCursor: () => this.pinCursor(),
      unpin: () => this.unpin(),
      step: (by) => this.step(by),
      dragsWithOneFinger: () => this.link?.mode === "box",
      takesKeys: () => this.panels.length > 0 && this.link?.mode !== "box",
      focus: () => this.mark(),
    });
    this.observer = new ResizeObserver(() => this.draw());
    this.observe();
  }

  /** Draw when the element has a size, and whenever it gets another one. */
  observe() {
    this.observer.disconnect();
    this.observer.observe(this.root);
  }

  /**
   * Show a message.
   * @param {Message} message
   * @param {Host} host
   */
  async show(message, host) {
    try {
      /** @type {Plotly} */
      this.plotly = await loadPlotly(message.plotly);
    } catch {
      this.fail(LOAD_ERROR);
      return;
    }
    this.host = host;
    await this.present(this.views.take(message));
    const theme = pageTheme(this.root);
    if (theme !== message.theme) host.state("theme", theme);
  }

  /** @param {Message | null} message */
  async present(message) {
    if (!message) return;
    this.message = message;
    this.link = message.link;
    if (message.restored) this.reportRestored();
    this.takePin();
    this.describe();
    await this.draw();
    this.announce();
  }

  /**
   * Show another channel or colour scale, if the browser has it; return whether it does.
   * @param {Choice} choice
   */
  choose(choice) {
    const present = () => this.present(this.views.shown);
    if (!this.views.choose(choice, present)) return false;
    if (this.frame) return true; // of several choices in a frame, the next draws the last
    const drawn = this.views.chosen;
    present();
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.views.chosen && this.views.chosen !== drawn) present();
    });
    return true;
  }

  /**
   * Go to another channel. The host hears of it once the keys have rested; if the browser does not
   * have that channel, at once, and then of all further steps every `REPORT_DELAY`.
   * @param {number} by
   */
  step(by) {
    const { view } = this.views;
    if (!view) {
      this.host?.trigger("step", by); // the host has one view, or shows another one at once
      return;
    }
    const to = view.channel === null ? null : clamp(view.channel + by, 0, view.channels - 1);
    if (to !== null && to === view.channel) return;
    this.steps += by;
    const isHere = to !== null && this.choose({ ...view, channel: to });
    if (!isHere && this.timers.has("step")) return;
    if (!isHere) this.reportSteps();
    clearTimeout(this.timers.get("step"));
    const later = () => {
      this.timers.delete("step");
      this.reportSteps();
    };
    this.timers.set("step", window.setTimeout(later, REPORT_DELAY));
  }

  reportSteps() {
    if (this.steps) this.host?.trigger("step", this.steps);
    this.steps = 0;
  }

  /**
   * Show a sentence in place of values.
   * @param {string} sentence
   */
  fail(sentence) {
    this.card.place.hidden = false;
    this.card.say(sentence);
  }

  /** Stop listening and free the figure. */
  remove() {
    this.observer.disconnect();
    this.input.remove();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.plotly?.purge(this.plot);
  }

  // ---- Drawing ----------------------------------------------------------------

  /** Take the host's pin, unless the user has set a newer one that it has not acknowledged. */
  takePin() {
    const { link } = this;
    const acknowledged = link?.mode === "pin" ? link.acked_pin : null;
    if (this.pendingPin !== null && this.pendingPin !== acknowledged) return;
    this.pendingPin = null;
    if (link?.mode === "pin") this.pin = link.pin;
    else this.pin = link?.mode === "pick" ? link.picked : null;
  }

  /** Report the host's pin or box, which it took from elsewhere than from this figure. */
  reportRestored() {
    const { link } = this;
    this.pendingPin = null;
    if (link?.mode === "pin") this.report("pin", textOf(link.pin));
    if (link?.mode === "box") this.host?.state("box", link.box ?? []);
  }

  /** Set the element's role and label. */
  describe() {
    const { link, root, message } = this;
    const isStale = message?.stale ?? false;
    root.classList.toggle("linked-figure-stale", isStale);
    root.dataset.theme = message?.own_colours ? message.theme : "";
    this.note.textContent = isStale ? STALE : "";
    root.tabIndex = link ? 0 : -1;
    root.setAttribute("role", link ? "application" : "img");
    root.setAttribute(
      "aria-label",
      [isStale ? `${STALE}.` : "", message?.label ?? ""].join(" ").trim(),
    );
    this.card.place.hidden = !link || link.mode === "box";
  }

  /** Draw the last message, if it or the space has changed. */
  async draw() {
    const { message } = this;
    const space = Math.floor(this.root.clientWidth);
    if (!message) return;
    if (space === 0) {
      this.observe(); // it may be shown again before the observer has seen it hidden
      return;
    }
    if (this.drawn === message && this.space === space) return;
    const isSame = this.drawn?.digest === message.digest && this.space === space;
    this.drawn = message;
    this.space = space;
    if (!isSame) await this.react(message, space);
    this.panels = this.link ? panelsOf(this.plot, this.link) : [];
    this.overlay.fit(figureSize(this.plot), message.accent, this.scale);
    this.zoomed();
  }

  /**
   * @param {Message} message
   * @param {number} space CSS pixels
   */
  async react({ figure, narrow, link, revision }, space) {
    const layout = fitLayout(figure.layout, narrow, space);
    this.card.fit(layout, this.link?.mode === "pin" ? this.link.readout.length : 1);
    this.scale = layout.meta?.scale ?? 1;
    layout.uirevision = revision;
    if (revision !== this.revision) this.zoom.view = null;
    this.revision = revision;
    this.axes = axesOf(figure.data, link ? tracesOf(link) : []);
    if (link) {
      layout.hovermode = false;
      layout.dragmode = false;
      for (const name of this.axes) {
        const axis = /** @type {object} */ (layout[name]);
        const { view } = this.zoom;
        layout[name] = { ...axis, fixedrange: true, ...(view && { range: rangeOf(name, view) }) };
      }
    }
    // Copies, since Plotly renames the axes of the traces that it draws.
    const data = figure.data.map((trace) => ({ ...trace }));
    // `Input` handles the mouse in linked figures, so they need none of Plotly's drag areas.
    const config = { ...CONFIG, staticPlot: link !== null };
    await this.plotly?.react(this.plot, data, layout, config);
    // Plotly measures texts in a drawing of its own, outside of the window.
    document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true");
  }

  /** Draw the part of the panels in view. */
  async drawView() {
    const { link } = this;
    if (!link || link.mode === "box") return;
    const view = this.zoom.view ?? whole(link.rows, link.cols);
    await this.plotly?.relayout(this.plot, rangesOf(this.axes, view));
    this.panels = panelsOf(this.plot, link);
    this.zoomed();
  }

  /** Mark everything again, and report the rows and columns in view to the host. */
  zoomed() {
    const { link } = this;
    const [panel] = this.panels;
    if (!link || !panel) return;
    this.overlay.setCells(this.panels, link.mode === "pin" ? link.cells : []);
    this.mark();
    if (link.mode !== "pin" || link.window === null) return;
    const [top, bottom, left, right] = panel.window();
    const isWhole = !top && !left && bottom === link.rows && right === link.cols;
    const view = isWhole ? "" : [top, bottom, left, right, link.rows, link.cols].join();
    if (view !== link.window) this.report("window", view);
  }

  mark() {
    const { link, overlay } = this;
    if (!link || !this.panels.length) return;
    overlay.clear();
    if (link.mode === "box") {
      this.markBox();
      return;
    }
    const pixel = this.cursor ?? this.pin;
    const { pin } = this;
    if (pin && this.cursor) for (const panel of this.panels) overlay.markPin(panel, pin);
    const source = this.panels.find((panel) => panel.name === pixel?.panel);
    if (pixel && source) {
      const fields = link.mode === "pin" ? link.fields[pixel.panel] : {};
      for (const panel of this.panels) {
        overlay.markPixel(panel, pixel, {
          value: this.valueAt(panel.name, pixel),
          source,
          field: fields?.[panel.name],
          hasText: link.mode === "pin",
        });
      }
    }
    this.write(pixel);
  }

  /**
   * Draw the marks elsewhere than over the figure.
   * @param {Pen} pen
   */
  drawMarks(pen) {
    const { overlay } = this;
    const usual = overlay.pen;
    overlay.pen = pen;
    this.mark();
    overlay.pen = usual;
  }

  markBox() {
    const [panel] = this.panels;
    if (!panel || this.link?.mode !== "box" || !this.link.box) return;
    const [left, right, low, high] = this.link.box;
    this.overlay.drawBox(
      panel.toFigure({ x: left, y: high }),
      panel.toFigure({ x: right, y: low }),
    );
  }

  // ---- Values -----------------------------------------------------------------

  /** @param {Cell} pixel */
  isExact({ row, col }) {
    if (this.link?.mode !== "pin") return false;
    const { exact, pin } = this.link;
    return exact !== null && pin !== null && pin.row === row && pin.col === col;
  }

  /**
   * Return the value of a panel at a pixel; undefined where it has none.
   * @param {string} name
   * @param {Cell} pixel
   * @returns {Value | undefined}
   */
  valueAt(name, pixel) {
    if (this.link?.mode === "pin" && this.link.exact && this.isExact(pixel)) {
      return this.link.exact[name];
    }
    return this.panels.find((panel) => panel.name === name)?.valueAt(pixel);
  }

  /**
   * Write the readout for a pixel, or the hint where there is none.
   * @param {Pixel | null} pixel
   */
  write(pixel) {
    const { link, card } = this;
    if (!link || link.mode === "box") return;
    if (!pixel) {
      card.hint(link);
    } else if (link.mode === "pick") {
      const { labels, point_labels: points, cols } = link;
      const ofPoint = points[pixel.panel]?.[pixel.col];
      card.say(ofPoint ?? labels[pixel.row * cols + pixel.col] ?? "");
    } else {
      const pinned = this.pin && !this.cursor ? "pinned " : "";
      const { block } = this;
      const mean = block > 1 && !this.isExact(pixel) ? ` mean of ${block}×${block}` : "";
      const title = link.title && ` · ${link.title}`;
      const lines = link.readouts[pixel.panel] ?? link.readout;
      card.write(`${pinned}row ${pixel.row}, column ${pixel.col}${mean}${title}`, lines, (name) =>
        this.valueAt(name, pixel),
      );
    }
  }

  /** Announce the pixel and its values to screen readers. */
  speak() {
    this.said = this.sentence();
    if (this.said) this.spoken.textContent = this.said;
  }

  /** Announce what a message has changed: the title, and the values of the pixel announced last. */
  announce() {
    const { link } = this;
    const title = link?.mode === "pin" ? link.title : "";
    const isNew = this.title !== "" && this.title !== title;
    this.title = title;
    const said = this.said && this.sentence();
    if (isNew || said !== this.said) {
      this.spoken.textContent = [isNew ? `${title}.` : "", said].join(" ").trim();
    }
    this.said = said;
  }

  /** Return the pixel and its values as a sentence; "" if there is no pixel. */
  sentence() {
    const pixel = this.cursor ?? this.pin;
    if (!pixel || !this.link) return "";
    const { row, col, panel } = pixel;
    const value =
      this.link.mode === "pin"
        ? `, ${panel} ${spokenText(formatValue(this.valueAt(panel, pixel) ?? NaN))}`
        : "";
    const values = spokenReadout(this.card.readout);
    const curve = this.link.mode === "pick" && this.link.curves[panel]?.[row];
    if (curve) return `${this.pin ? "Pinned: " : ""}${curve}. ${values}`;
    const place = this.pin ? "Pinned: row" : "Row";
    return `${place} ${row}, column ${col}${value}: ${values}`;
  }

  // ---- Input ------------------------------------------------------------------

  /**
   * @param {Point} point
   * @returns {Pixel | null}
   */
  pixelAt(point) {
    const panel = this.panels.find((each) => each.contains(point));
    return panel ? { panel: panel.name, ...panel.pixelAt(point) } : null;
  }

  /** Pixels along one side of a drawn cell. */
  get block() {
    return this.panels[0]?.block ?? 1;
  }

  /** @param {Point | null} point */
  hover(point) {
    if (!this.panels.length || this.link?.mode === "box") return;
    this.setCursor(point && this.pixelAt(point));
  }

  /** @param {Pixel | null} pixel */
  setCursor(pixel) {
    if (isSamePixel(this.cursor, pixel)) return;
    this.cursor = pixel;
    this.mark();
  }

  /**
   * Pin or pick a pixel. A double click resets the zoom and leaves the pin as it was before.
   * @param {Point} point
   * @param {boolean} isDouble
   */
  click(point, isDouble) {
    if (this.link?.mode === "box") {
      this.host?.state("box", []);
      return;
    }
    if (isDouble && this.zoom.view) this.zoom.set(null);
    const pixel = this.pixelAt(point);
    this.cursor = null; // until the mouse moves again
    if (this.link?.mode === "pin" && isDouble) {
      this.setPin(this.previousPin);
    } else {
      this.previousPin = this.pin;
      this.setPin(pixel);
    }
    this.speak();
  }

  /** @param {Pixel | null} pixel */
  setPin(pixel) {
    this.pin = pixel;
    const text = textOf(pixel);
    if (this.link?.mode === "pin") this.pendingPin = text;
    this.mark();
    this.openCard();
    if (this.link?.mode === "pin") this.report("pin", text);
    else if (pixel) this.host?.trigger("pick", text);
  }

  /** Bring the values of the pin into sight, or put them away without one. */
  openCard() {
    const panel = this.panels.find((each) => each.name === this.pin?.panel);
    if (!panel || this.link?.mode !== "pin") {
      this.card.close();
      return;
    }
    const { top } = this.plot.getBoundingClientRect();
    this.card.open({ top: top + panel.frame.top, bottom: top + panel.frame.bottom });
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  drag(from, to) {
    this.mark();
    if (this.link?.mode === "box") {
      this.overlay.drawBox(from, to);
      return;
    }
    const box = this.zoom.box(from, to);
    if (!box) return;
    this.overlay.drawBox({ x: box.left, y: box.top }, { x: box.right, y: box.bottom });
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  drop(from, to) {
    if (this.link?.mode === "box") this.dropBox(from, to);
    else if (!this.zoom.into(from, to)) this.mark();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  dropBox(from, to) {
    const [panel] = this.panels;
    if (!panel) return;
    const [a, b] = [panel.toAxes(from), panel.toAxes(to)];
    const edges = [Math.min(a.x, b.x), Math.max(a.x, b.x), Math.min(a.y, b.y), Math.max(a.y, b.y)];
    this.host?.state("box", edges);
  }

  /** The pixel that the keys start from. */
  get start() {
    const { link, panels } = this;
    if (this.pin || this.cursor || !link || link.mode === "box" || !panels[0]) {
      return this.pin ?? this.cursor;
    }
    const [row, col] = [link.rows, link.cols].map((count) => Math.floor(count / 2));
    return { panel: panels[0].name, row, col };
  }

  /**
   * Move the pin, or the cursor where there is none, by one cell or to the next panel.
   * @param {number} down
   * @param {number} right
   * @param {boolean} isPanel
   */
  move(down, right, isPanel) {
    const { link, panels, start } = this;
    if (!link || link.mode === "box" || !start) return;
    const to = { ...start };
    if (isPanel) {
      const index = panels.findIndex((panel) => panel.name === start.panel) + down + right;
      to.panel = panels[clamp(index, 0, panels.length - 1)].name;
    } else if (this.pin || this.cursor) {
      to.row = clamp(start.row + down * this.block, 0, link.rows - 1);
      to.col = clamp(start.col + right * this.block, 0, link.cols - 1);
    }
    if (this.pin) {
      this.cursor = null; // until the mouse moves again
      this.setPin(to);
    } else {
      this.setCursor(to);
    }
    this.speak();
  }

  pinCursor() {
    const pixel = this.cursor ?? this.start;
    this.cursor = null;
    this.setPin(pixel);
    this.speak();
  }

  unpin() {
    this.cursor = null;
    this.setPin(null);
    this.said = "";
    this.spoken.textContent = "No pixel is pinned.";
  }

  /**
   * Report a state to the host once it has rested.
   * @param {string} name
   * @param {string} value
   */
  report(name, value) {
    clearTimeout(this.timers.get(name));
    this.timers.set(
      name,
      window.setTimeout(() => this.host?.state(name, value), REPORT_DELAY),
    );
  }
}

/**
 * Return the names of the traces on the axes of the linked panels.
 * @param {Link} link
 */
const tracesOf = (link) =>
  link.panels.flatMap((name) => (link.mode === "pick" && link.curves[name]) || name);

/** @param {Pixel | null} pixel */
const textOf = (pixel) => (pixel ? `${pixel.panel},${pixel.row},${pixel.col}` : "");

/**
 * @param {Pixel | null} a
 * @param {Pixel | null} b
 */
const isSamePixel = (a, b) =>
  a === b ||
  (a !== null && b !== null && a.panel === b.panel && a.row === b.row && a.col === b.col);
