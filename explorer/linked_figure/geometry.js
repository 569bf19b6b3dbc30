/**
 * Where panels lie on a drawn figure and which values they show. This is the only module that
 * reads Plotly's private fields.
 * @import { Grid, Link } from "./payload.js"
 * @import { Axis, PlotNode, Trace } from "./plotly.js"
 */

const POINT = 9; // CSS pixels of the square around a point of a curve

/** @typedef {{ x: number, y: number }} Point CSS pixels from the figure's upper left corner */
/** @typedef {{ row: number, col: number }} Cell */
/** @typedef {[x: number, y: number, width: number, height: number]} Rectangle CSS pixels */

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A heatmap of the figure, of which every pixel stands for one row and column. */
export class Panel {
  /**
   * @param {string} name
   * @param {Trace} trace
   * @param {Axis} x
   * @param {Axis} y
   * @param {{ rows: number, cols: number, grid: Grid }} pixels
   */
  constructor(name, trace, x, y, { rows, cols, grid }) {
    this.name = name;
    this.trace = trace;
    this.x = x;
    this.y = y;
    this.rows = rows;
    this.cols = cols;
    this.offset = grid[0];
    this.stride = grid[1];
  }

  /** The panel's frame in the figure. */
  get frame() {
    const { _offset: left, _length: width } = this.x;
    const { _offset: top, _length: height } = this.y;
    return { left, top, right: left + width, bottom: top + height };
  }

  /** Whether drags and pinches zoom into the panel. */
  get isZoomable() {
    return true;
  }

  /** Pixels of the panel's own grid that one drawn cell is the mean of, along one side. */
  get block() {
    return Math.max(1, Math.round(this.trace.dx / this.stride));
  }

  /** @param {Point} point */
  contains({ x, y }) {
    const { left, top, right, bottom } = this.frame;
    return x >= left && x <= right && y >= top && y <= bottom;
  }

  /**
   * Return a point of the figure in the units of the panel's axes.
   * @param {Point} point
   * @returns {Point}
   */
  toAxes({ x, y }) {
    return { x: this.x.p2d(x - this.x._offset), y: this.y.p2d(y - this.y._offset) };
  }

  /**
   * Return a point in axis units as a point of the figure.
   * @param {Point} point
   * @returns {Point}
   */
  toFigure({ x, y }) {
    return { x: this.x.d2p(x) + this.x._offset, y: this.y.d2p(y) + this.y._offset };
  }

  /**
   * Return the pixel at a point of the figure.
   * @param {Point} point
   * @returns {Cell}
   */
  pixelAt(point) {
    const { x, y } = this.toAxes(point);
    return {
      row: clamp(Math.round(y), 0, this.rows - 1),
      col: clamp(Math.round(x), 0, this.cols - 1),
    };
  }

  /**
   * Return the value drawn at a pixel; undefined where the panel has none.
   * @param {Cell} pixel
   * @returns {number | undefined}
   */
  valueAt({ row, col }) {
    const { x0, dx, y0, dy, z } = this.trace;
    return z[Math.round((row - y0) / dy)]?.[Math.round((col - x0) / dx)];
  }

  /** The ranges of the axes, y from bottom to top. */
  get view() {
    return { x: this.x.range, y: this.y.range };
  }

  /**
   * Return the rows and columns in view, as half-open ranges.
   * @returns {[top: number, bottom: number, left: number, right: number]}
   */
  window() {
    const [bottom, top] = this.y.range;
    return [
      ...visiblePixels(top, bottom, this.rows),
      ...visiblePixels(this.x.range[0], this.x.range[1], this.cols),
    ];
  }

  /**
   * Return inclusive rows and columns as a rectangle, clipped to the data and the frame.
   * @param {{ top: number, bottom: number, left: number, right: number }} pixels
   * @returns {Rectangle}
   */
  rectangle({ top, bottom, left, right }) {
    const low = this.toFigure({ x: Math.max(left, 0) - 0.5, y: Math.max(top, 0) - 0.5 });
    const high = this.toFigure({
      x: Math.min(right, this.cols - 1) + 0.5,
      y: Math.min(bottom, this.rows - 1) + 0.5,
    });
    const { frame } = this;
    const [x0, x1] = [low.x, high.x].map((x) => clamp(x, frame.left, frame.right));
    const [y0, y1] = [low.y, high.y].map((y) => clamp(y, frame.top, frame.bottom));
    return [x0, y0, x1 - x0, y1 - y0];
  }

  /**
   * Return the drawn cell that holds a pixel.
   * @param {Cell} pixel
   */
  cell({ row, col }) {
    const { x0, dx, y0, dy } = this.trace;
    const middle = x0 + dx * Math.round((col - x0) / dx);
    const centre = y0 + dy * Math.round((row - y0) / dy);
    return this.rectangle({
      top: centre - (dy - 1) / 2,
      bottom: centre + (dy - 1) / 2,
      left: middle - (dx - 1) / 2,
      right: middle + (dx - 1) / 2,
    });
  }

  /**
   * Return this panel's window that fed a pixel of another panel.
   * @param {Cell} pixel
   * @param {Panel} target
   * @param {[before: number, after: number]} field pixels of this panel's own grid
   */
  fieldOf({ row, col }, target, [before, after]) {
    const [top, left] = [row, col].map(
      (pixel) =>
        target.offset +
        target.stride * Math.floor((pixel - target.offset) / target.stride) -
        this.stride * before,
    );
    const span = this.stride * (before + after + 1) - 1;
    return this.rectangle({ top, bottom: top + span, left, right: left + span });
  }
}

/** A chart of the figure: every row is a curve, and every column a point of all its curves. */
export class CurvePanel extends Panel {
  /**
   * @param {string} name
   * @param {Trace[]} curves
   * @param {Axis} x
   * @param {Axis} y
   */
  constructor(name, curves, x, y) {
    const size = { rows: curves.length, cols: curves[0].x.length };
    super(name, curves[0], x, y, { ...size, grid: [0, 1] });
    this.curves = curves;
  }

  get isZoomable() {
    return false;
  }

  get block() {
    return 1;
  }

  /**
   * Return the point nearest in x, and there the curve nearest in y.
   * @param {Point} point
   * @returns {Cell}
   */
  pixelAt(point) {
    const away = (/** @type {number} */ col) => Math.abs(this.pointOf({ row: 0, col }).x - point.x);
    const col = indexOfLeast(Array.from({ length: this.cols }, (_, at) => away(at)));
    const rows = this.curves.map((_, row) => Math.abs(this.pointOf({ row, col }).y - point.y));
    return { row: indexOfLeast(rows), col };
  }

  /**
   * @param {Cell} pixel
   * @returns {number | undefined}
   */
  valueAt({ row, col }) {
    const value = this.curves[row].y[col];
    return Number.isFinite(value) ? value : undefined;
  }

  /**
   * Return a square around a point.
   * @param {Cell} pixel
   * @returns {Rectangle}
   */
  cell(pixel) {
    const { x, y } = this.pointOf(pixel);
    return [x - POINT / 2, y - POINT / 2, POINT, POINT];
  }

  /**
   * Return where a point of a curve lies in the figure; y is NaN where it is not drawn.
   * @param {Cell} pixel
   * @returns {Point}
   */
  pointOf({ row, col }) {
    return this.toFigure({ x: this.curves[row].x[col], y: this.valueAt({ row, col }) ?? NaN });
  }
}

/**
 * Return the index of the least of the numbers that are finite; 0 if none is.
 * @param {number[]} numbers
 */
function indexOfLeast(numbers) {
  const finite = numbers.filter(Number.isFinite);
  return Math.max(0, numbers.indexOf(Math.min(...finite)));
}

/**
 * Return the first pixel in view and the one behind the last; pixel n covers n ± 0.5.
 * @param {number} low
 * @param {number} high
 * @param {number} count
 * @returns {[number, number]}
 */
function visiblePixels(low, high, count) {
  const first = clamp(Math.floor(low + 0.5), 0, count - 1);
  return [first, clamp(Math.ceil(high + 0.5), first + 1, count)];
}

/**
 * Return the panels of a figure that Plotly has drawn.
 * @param {PlotNode} plot
 * @param {Link} link
 * @returns {Panel[]}
 */
export function panelsOf(plot, link) {
  const layout = plot._fullLayout;
  const size = link.mode === "box" ? { rows: 1, cols: 1 } : { rows: link.rows, cols: link.cols };
  const traceOf = (/** @type {string} */ name) =>
    /** @type {Trace} */ (plot._fullData.find((each) => each.name === name));
  return link.panels.map((name) => {
    const curves = link.mode === "pick" ? link.curves[name]?.map(traceOf) : undefined;
    const trace = curves?.[0] ?? traceOf(name);
    const x = /** @type {Axis} */ (layout[trace.xaxis.replace("x", "xaxis")]);
    const y = /** @type {Axis} */ (layout[trace.yaxis.replace("y", "yaxis")]);
    if (curves) return new CurvePanel(name, curves, x, y);
    /** @type {Grid} */
    const grid = (link.mode === "pin" && link.grids[name]) || [0, 1];
    return new Panel(name, trace, x, y, { ...size, grid });
  });
}

/**
 * Return the size of a figure that Plotly has drawn, in CSS pixels.
 * @param {PlotNode} plot
 */
export function figureSize(plot) {
  const { width, height } = plot._fullLayout;
  return { width, height };
}
