// A Plotly figure that stays alive, with panels that are linked pixel by pixel.
//
// Python sends traces, two layouts and a `link`: which traces are panels, how
// many rows and columns they share, what fed each panel, and which terms the
// readout shows. Hover, pin and keys are handled here without asking the server;
// Python learns of a pin, a step, a zoomed window or a drawn box.

const NARROW_BELOW = 800; // pixels of space under which the second layout is used
const NARROW_MOST = 620; // pixels beyond which that layout does not grow
const CLICK_SLACK = 4; // pixels that a click may wander
const DOUBLE_CLICK = 300; // milliseconds, as Plotly counts
const TELL_AFTER = 120; // milliseconds of rest before Python is notified
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

let plotlyScript;

function loadPlotly(url) {
  plotlyScript ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotlyScript = undefined; // so that the next message tries again
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return plotlyScript;
}

// The layout for this much space: what lies inside the margins keeps its proportions.
function fitted(layouts, space) {
  const narrow = space < NARROW_BELOW && layouts.length > 1;
  const layout = narrow ? layouts[1] : layouts[0];
  const width = narrow ? Math.min(space, NARROW_MOST) : space;
  const { l, r, t, b } = layout.margin;
  const scale = layout.meta?.fixedHeight ? 1 : (width - l - r) / (layout.width - l - r);
  const height = Math.round((layout.height - t - b) * scale + t + b);
  return { ...layout, width, height };
}

function shownTheme(node) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color");
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384 ? "dark" : "light";
}

function shown(value) {
  if (value === null) return "not finite"; // JSON has no word for it
  if (!Number.isFinite(value)) return String(value);
  const text = Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : value.toFixed(3);
  return text.replace("-", "−");
}

// Which of two values is larger in size, in the words for it; none where both are 0.
function larger(one, other, [first, second]) {
  if (one === 0 && other === 0) return "";
  return Math.abs(one) >= Math.abs(other) ? first : second;
}

// A term of the readout as text in its colour.
function written(term) {
  const piece = document.createElement("span");
  if (term.panel) {
    piece.dataset.panel = term.panel;
    piece.dataset.value = term.value;
    piece.style.color = term.colour ?? "";
    piece.textContent = `${term.text} ${term.value === undefined ? "–" : shown(term.value)}`;
  } else {
    piece.textContent = term.text ?? term.said;
    piece.className = term.text ? "" : "linked-figure-note";
  }
  return piece;
}

// The first pixel in view and the one behind the last, of `count`; pixel n is n ± 0.5.
function seen(low, high, count) {
  const first = clamp(Math.floor(low + 0.5), 0, count - 1);
  return [first, clamp(Math.ceil(high + 0.5), first + 1, count)];
}

const samePixel = (a, b) =>
  a === b || (a && b && a.panel === b.panel && a.row === b.row && a.col === b.col);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

class LinkedFigure {
  constructor(root) {
    this.root = root.querySelector(".linked-figure");
    this.plot = root.querySelector(".linked-figure-plot");
    this.overlay = root.querySelector("canvas");
    this.readout = root.querySelector(".linked-figure-readout");
    this.spoken = root.querySelector(".linked-figure-spoken");
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.root);
    this.listen();
  }

  // ---- Python → figure -------------------------------------------------------

  async show(Plotly, message, channel) {
    Object.assign(this, { Plotly, message, channel });
    this.link = message.link;
    this.takePin(this.link);
    const { panels, label, readout, labels } = this.link;
    const isLive = panels.length > 0;
    this.root.tabIndex = isLive ? 0 : -1;
    this.root.setAttribute("role", isLive ? "application" : "img");
    this.root.setAttribute("aria-label", label);
    this.readout.hidden = !(readout.length || labels);
    if (this.title !== undefined && this.title !== this.link.title) {
      this.spoken.textContent = this.link.title;
    }
    this.title = this.link.title;
    await this.draw();
    const theme = shownTheme(this.root);
    if (theme !== message.theme) channel.state("theme", theme);
  }

  // Python's pin counts, unless the user has set a newer one that it has not acknowledged.
  takePin({ pin, acked_pin }) {
    if (this.pendingPin !== undefined && this.pendingPin !== acked_pin) return;
    this.pendingPin = undefined;
    this.pin = pin;
  }

  async draw() {
    const space = Math.floor(this.root.clientWidth);
    if (!this.message || space === 0) return;
    if (this.drawn === this.message && this.space === space) return;
    const isSame = this.drawn?.digest === this.message.digest && this.space === space;
    this.drawn = this.message;
    this.space = space;
    if (!isSame) await this.react(space);
    this.measure();
    this.zoomed();
    this.mark();
  }

  async react(space) {
    const { figure, narrow } = this.message;
    const layout = fitted(narrow ? [figure.layout, narrow] : [figure.layout], space);
    layout.uirevision = `${this.link.rows}×${this.link.cols}`; // the zoom lives as long
    if (this.link.panels.length) layout.hovermode = false;
    layout.dragmode = this.link.box ? false : "zoom";
    await this.Plotly.react(this.plot, figure.data, layout, CONFIG);
    if (!this.listens) this.plot.on("plotly_relayout", () => this.zoomed());
    this.listens = true;
  }

  // Where each panel lies, in pixels, and how its traces count rows and columns.
  measure() {
    const full = this.plot._fullLayout;
    this.panels = this.link.panels.map((name) => {
      const trace = this.plot._fullData.find((candidate) => candidate.name === name);
      const x = full[trace.xaxis.replace("x", "xaxis")];
      const y = full[trace.yaxis.replace("y", "yaxis")];
      return { name, trace, x, y };
    });
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = full;
    if (this.overlay.width !== width * ratio || this.overlay.height !== height * ratio) {
      Object.assign(this.overlay, { width: width * ratio, height: height * ratio });
      Object.assign(this.overlay.style, { width: `${width}px`, height: `${height}px` });
    }
    this.pen = this.overlay.getContext("2d");
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  value(name, pixel) {
    if (this.isExact(pixel)) return this.link.exact[name];
    const panel = this.panels.find((candidate) => candidate.name === name);
    if (!panel) return undefined;
    const { trace } = panel;
    const row = trace.z[Math.round((pixel.row - trace.y0) / trace.dy)];
    return row ? row[Math.round((pixel.col - trace.x0) / trace.dx)] : undefined;
  }

  isExact({ row, col }) {
    const { exact, pin } = this.link;
    return exact && pin && pin.row === row && pin.col === col;
  }

  // ---- user → figure -------------------------------------------------------

  listen() {
    const { root, plot } = this;
    plot.addEventListener("pointermove", (event) => this.moved(event), true);
    plot.addEventListener("pointerleave", () => this.hover(null));
    plot.addEventListener("pointerdown", (event) => this.pressed(event), true);
    this.onRelease = (event) => this.released(event);
    window.addEventListener("pointerup", this.onRelease, true);
    root.addEventListener("keydown", (event) => this.keyed(event));
    root.addEventListener("focus", () => this.mark());
    root.addEventListener("blur", () => this.mark());
  }

  at(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  panelAt({ x, y }) {
    return this.panels?.find(
      (panel) =>
        x >= panel.x._offset &&
        x <= panel.x._offset + panel.x._length &&
        y >= panel.y._offset &&
        y <= panel.y._offset + panel.y._length,
    );
  }

  pixelAt(point) {
    const panel = this.panelAt(point);
    if (!panel) return null;
    const row = Math.round(panel.y.p2d(point.y - panel.y._offset));
    const col = Math.round(panel.x.p2d(point.x - panel.x._offset));
    const { rows, cols } = this.link;
    return { panel: panel.name, row: clamp(row, 0, rows - 1), col: clamp(col, 0, cols - 1) };
  }

  moved(event) {
    if (!this.panels?.length) return;
    const point = this.at(event);
    if (!this.link.box) this.hover(this.pixelAt(point));
    else if (this.press) this.stretch(point);
  }

  hover(pixel) {
    if (samePixel(this.cursor, pixel)) return;
    this.cursor = pixel;
    this.mark();
  }

  pressed(event) {
    if (event.button !== 0 || !this.panels) return;
    const point = this.at(event);
    const panel = this.panelAt(point);
    if (panel) this.press = { ...point, panel };
  }

  released(event) {
    const { press } = this;
    this.press = undefined;
    if (!press) return;
    const point = this.at(event);
    const far = Math.hypot(point.x - press.x, point.y - press.y) > CLICK_SLACK;
    if (this.link.box) this.channel.state("box", far ? this.boxTo(press, point) : []);
    else if (!far) this.clicked(this.pixelAt(point));
  }

  // The keys belong to the figure from now on. A double click resets the zoom and
  // leaves the pin as it was before; a pick is made, however often it is clicked.
  clicked(pixel) {
    this.root.focus({ preventScroll: true });
    const now = performance.now();
    const { last } = this;
    const isQuick = last && now - last.time < DOUBLE_CLICK && samePixel(last.pixel, pixel);
    const isSecond = isQuick && !this.link.picks;
    this.last = { time: now, pixel };
    if (!isSecond) this.before = this.pin;
    this.setPin(isSecond ? this.before : pixel);
    this.speak();
  }

  boxTo({ x, y, panel }, to) {
    const across = [x, to.x].map((value) => panel.x.p2d(value - panel.x._offset));
    const down = [y, to.y].map((value) => panel.y.p2d(value - panel.y._offset));
    return [...across.sort((a, b) => a - b), ...down.sort((a, b) => a - b)];
  }

  stretch(point) {
    this.mark();
    const { x, y } = this.press;
    this.pen.strokeStyle = this.ink();
    this.pen.strokeRect(x, y, point.x - x, point.y - y);
  }

  keyed(event) {
    if (!this.panels?.length || this.link.box || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const { rows, cols, panels } = this.link;
    const from = this.pin ?? this.cursor ?? {
      panel: panels[0],
      row: Math.floor(rows / 2),
      col: Math.floor(cols / 2),
    };
    if (event.key in ARROWS) {
      const [down, right] = ARROWS[event.key];
      const to = { ...from };
      if (event.shiftKey) {
        const next = panels.indexOf(from.panel) + down + right;
        to.panel = panels[clamp(next, 0, panels.length - 1)];
      } else if (this.pin || this.cursor) {
        to.row = clamp(from.row + down * this.stride(), 0, rows - 1);
        to.col = clamp(from.col + right * this.stride(), 0, cols - 1);
      }
      if (this.pin) {
        this.cursor = null; // until the mouse moves again
        this.setPin(to);
      } else this.hover(to);
      this.speak();
    } else if (event.key === "Enter" || event.key === " ") {
      const pixel = this.cursor ?? from;
      this.cursor = null;
      this.setPin(pixel);
      this.speak();
    } else if (event.key === "Escape") {
      this.cursor = null;
      this.setPin(null);
      this.spoken.textContent = "No pixel is pinned.";
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      this.channel.trigger("step", event.key === "PageUp" ? -1 : 1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Pixels of its stage that one cell stands for.
  stride() {
    const [{ name, trace }] = this.panels;
    return Math.max(1, Math.round(trace.dx / this.gridOf(name)[1]));
  }

  setPin(pixel) {
    this.pin = pixel;
    if (this.link.picks) {
      this.mark();
      if (pixel) this.channel.trigger("pick", `${pixel.panel},${pixel.row},${pixel.col}`);
      return;
    }
    this.pendingPin = pixel ? `${pixel.panel},${pixel.row},${pixel.col}` : "";
    this.mark();
    this.tell("pin", this.pendingPin);
  }

  // Rows and columns in view, where the user has zoomed; nothing where all is in view.
  zoomed() {
    if (!this.panels?.length) return;
    this.drawCells();
    this.mark();
    if (!this.link.window) return;
    const { x, y } = this.panels[0];
    const { rows, cols } = this.link;
    const [left, right] = seen(x.range[0], x.range[1], cols);
    const [top, bottom] = seen(y.range[1], y.range[0], rows);
    const isWhole = left === 0 && top === 0 && right === cols && bottom === rows;
    const view = isWhole ? "" : [top, bottom, left, right, rows, cols].join();
    if (view !== this.link.view) this.tell("window", view);
  }

  tell(name, value) {
    clearTimeout(this[`telling ${name}`]);
    this[`telling ${name}`] = setTimeout(() => this.channel.state(name, value), TELL_AFTER);
  }

  // ---- marks, readout, words --------------------------------------------------

  ink() {
    return getComputedStyle(this.root).color;
  }

  mark() {
    if (!this.pen || !this.panels) return;
    const { width, height } = this.plot._fullLayout;
    this.pen.clearRect(0, 0, width, height);
    if (this.link.box) return this.markBox();
    const pixel = this.cursor ?? this.pin;
    if (this.cells) this.pen.drawImage(this.cells, 0, 0, width, height);
    if (this.pin && this.cursor) for (const panel of this.panels) this.markPin(panel);
    if (pixel) {
      const fields = { ...this.link.fields?.[pixel.panel], [pixel.panel]: 0 };
      for (const panel of this.panels) this.markPanel(panel, pixel, fields);
    }
    this.writeReadout(pixel);
    return undefined;
  }

  markBox() {
    if (!this.link.box.length) return;
    const [{ x, y }] = this.panels;
    const [left, right, low, high] = this.link.box;
    const [x0, x1] = [left, right].map((value) => x.d2p(value) + x._offset);
    const [y0, y1] = [high, low].map((value) => y.d2p(value) + y._offset);
    this.pen.strokeStyle = this.message.accent;
    this.pen.lineWidth = 2;
    this.pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }

  // A rectangle in rows and columns as pixels, clipped to the panel and the picture.
  rectangle({ x, y }, top, bottom, left, right) {
    const { rows, cols } = this.link;
    const across = [Math.max(left, 0) - 0.5, Math.min(right, cols - 1) + 0.5];
    const down = [Math.max(top, 0) - 0.5, Math.min(bottom, rows - 1) + 0.5];
    const [x0, x1] = across.map((value) => clamp(x.d2p(value), 0, x._length) + x._offset);
    const [y0, y1] = down.map((value) => clamp(y.d2p(value), 0, y._length) + y._offset);
    return [x0, y0, x1 - x0, y1 - y0];
  }

  // The drawn cell that a pixel lies in.
  cellAt(panel, { row, col }) {
    const { x0, dx, y0, dy } = panel.trace;
    const [half, down] = [(dx - 1) / 2, (dy - 1) / 2];
    const left = x0 + dx * Math.round((col - x0) / dx);
    const top = y0 + dy * Math.round((row - y0) / dy);
    return this.rectangle(panel, top - down, top + down, left - half, left + half);
  }

  // The window on this panel that fed a pixel of the panel pointed at.
  fieldAt(panel, { row, col }, radius) {
    const [offset, stride] = this.gridOf((this.cursor ?? this.pin).panel);
    const [, pitch] = this.gridOf(panel.name);
    const [top, left] = [row, col].map(
      (pixel) => offset + stride * Math.floor((pixel - offset) / stride) - pitch * radius,
    );
    const span = 2 * pitch * radius + pitch - 1;
    return this.rectangle(panel, top, top + span, left, left + span);
  }

  gridOf(name) {
    return this.link.grids[name] ?? [0, 1];
  }

  // Where the pin stays while the user looks elsewhere.
  markPin(panel) {
    const [x, y, w, h] = this.cellAt(panel, this.pin);
    this.pen.strokeStyle = this.message.accent;
    this.pen.lineWidth = 2;
    this.pen.strokeRect(x - 2, y - 2, w + 4, h + 4);
  }

  markPanel(panel, { row, col }, fields) {
    const { pen } = this;
    const { x, y } = panel;
    const cell = this.cellAt(panel, { row, col });
    const [middleX, middleY] = [cell[0] + cell[2] / 2, cell[1] + cell[3] / 2];
    pen.strokeStyle = this.ink();
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x._offset, middleY);
    pen.lineTo(x._offset + x._length, middleY);
    pen.moveTo(middleX, y._offset);
    pen.lineTo(middleX, y._offset + y._length);
    pen.stroke();
    pen.globalAlpha = 1;
    const radius = fields[panel.name] ?? 0;
    if (radius) {
      pen.lineWidth = 2;
      pen.strokeStyle = this.message.accent;
      pen.strokeRect(...this.fieldAt(panel, { row, col }, radius));
    }
    const value = this.value(panel.name, { row, col });
    if (value === undefined) return;
    pen.strokeStyle = this.ink();
    pen.lineWidth = panel.name === (this.cursor ?? this.pin).panel ? 2.5 : 1.5;
    pen.strokeRect(cell[0] - 1, cell[1] - 1, cell[2] + 2, cell[3] + 2);
    if (this.link.labels) return;
    pen.font = `600 11px ${getComputedStyle(this.root).fontFamily}`;
    pen.textAlign = "right";
    pen.fillStyle = this.ink();
    pen.fillText(shown(value), x._offset + x._length, y._offset - 5);
  }

  // The cells that Python wants marked, drawn once and cached as a picture.
  drawCells() {
    this.cells = undefined;
    const { cells } = this.link;
    if (!cells.length) return;
    const { width, height } = this.overlay;
    this.cells = Object.assign(document.createElement("canvas"), { width, height });
    const pen = this.cells.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    pen.scale(ratio, ratio);
    pen.fillStyle = this.message.accent;
    pen.globalAlpha = 0.7;
    for (const panel of this.panels) {
      for (const [row, col] of cells) {
        const [x, y, w, h] = this.rectangle(panel, row, row, col, col);
        if (w > 0 && h > 0) pen.fillRect(x, y, Math.max(w, 1), Math.max(h, 1));
      }
    }
  }

  termsAt(line, pixel) {
    const at = (name) => this.value(name, pixel);
    return line.map((term) => ({
      ...term,
      value: term.panel && at(term.panel),
      said: term.larger
        ? larger(...term.larger.map(at), term.say)
        : term.negative && at(term.negative) < 0
          ? term.say[0]
          : "",
    }));
  }

  writeReadout(pixel) {
    const { link, readout } = this;
    if (!link.readout.length && !link.labels) return;
    const held = pixel && !this.cursor && this.pin ? "pinned " : "";
    if (!pixel) {
      readout.textContent = link.hint;
      return;
    }
    if (link.labels) {
      readout.textContent = link.labels[pixel.row * link.cols + pixel.col] ?? "";
      return;
    }
    const isMean = this.stride() > 1 && !this.isExact(pixel);
    const size = `${this.stride()}×${this.stride()}`;
    const where = `${held}[${pixel.row}, ${pixel.col}]${isMean ? ` mean of ${size}` : ""}`;
    const head = document.createElement("div");
    head.className = "linked-figure-note";
    head.textContent = where;
    const lines = link.readout.map((line) => {
      const row = document.createElement("div");
      row.append(...this.termsAt(line, pixel).map(written));
      return row;
    });
    readout.replaceChildren(head, ...lines);
  }

  speak() {
    const pixel = this.cursor ?? this.pin;
    if (!pixel) return;
    const { row, col, panel } = pixel;
    const words = this.link.labels
      ? this.readout.textContent
      : `${panel} ${shown(this.value(panel, pixel))}. ${this.readout.textContent}`;
    const held = this.pin ? "Pinned. " : "";
    this.spoken.textContent = `${held}Row ${row}, column ${col}: ${words}`;
  }

  fail(sentence) {
    this.readout.hidden = false;
    this.readout.textContent = sentence;
  }

  remove() {
    this.watcher.disconnect();
    window.removeEventListener("pointerup", this.onRelease, true);
    this.Plotly?.purge(this.plot);
  }
}

const figures = new WeakMap();
const decoder = new TextDecoder();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let figure = figures.get(parentElement);
  if (!figure) figures.set(parentElement, (figure = new LinkedFigure(parentElement)));
  const message = JSON.parse(decoder.decode(data));
  const channel = { state: setStateValue, trigger: setTriggerValue };
  loadPlotly(message.plotly).then(
    (Plotly) => figure.show(Plotly, message, channel),
    () => figure.fail("The picture's library could not be loaded. Reload the page to try again."),
  );
  return () => {
    if (parentElement.isConnected) return;
    figure.remove();
    figures.delete(parentElement);
  };
}
