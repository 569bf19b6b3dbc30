/**
 * The part of linked panels in view. Every change keeps the ratio of its sides, so that cells
 * keep their shape.
 * @import { Panel, Point } from "./geometry.js"
 */

import { clamp } from "./geometry.js";

const MIN_DRAG = 8; // CSS pixels under which a drag does not zoom
const MIN_CELLS = 1; // along the shorter side of a view

/** @typedef {{ x: [number, number], y: [number, number] }} View ranges; y from bottom to top */

/**
 * Return the view of all pixels.
 * @param {number} rows
 * @param {number} cols
 * @returns {View}
 */
export const whole = (rows, cols) => ({ x: [-0.5, cols - 0.5], y: [rows - 0.5, -0.5] });

/**
 * Return the box between two points that has the proportions of a frame, within it.
 * @param {{ left: number, top: number, right: number, bottom: number }} frame
 * @param {Point} from
 * @param {Point} to
 */
export function boxInFrame({ left, top, right, bottom }, from, to) {
  const [width, height] = [right - left, bottom - top];
  const [across, down] = [to.x - from.x, to.y - from.y];
  const share = Math.min(1, Math.max(Math.abs(across) / width, Math.abs(down) / height));
  const [w, h] = [share * width, share * height];
  const x = clamp(across < 0 ? from.x - w : from.x, left, right - w);
  const y = clamp(down < 0 ? from.y - h : from.y, top, bottom - h);
  return { left: x, top: y, right: x + w, bottom: y + h, share };
}

/**
 * Return a view scaled by a factor, with a point of the axes at a place on the panel; null for
 * the view of all pixels.
 * @param {View} view
 * @param {Panel} panel
 * @param {{ point: Point, place: Point, factor: number }} change `place` in the figure
 * @returns {View | null}
 */
export function changedView(view, panel, { point, place, factor }) {
  const { frame, rows, cols } = panel;
  const [width, height] = [view.x[1] - view.x[0], view.y[0] - view.y[1]];
  const least = Math.min(1, MIN_CELLS / Math.min(width, height));
  const scale = clamp(1 / factor, least, cols / width);
  if (scale > 0.999 * (cols / width)) return null;
  const [w, h] = [width * scale, height * scale];
  const across = (place.x - frame.left) / (frame.right - frame.left);
  const down = (place.y - frame.top) / (frame.bottom - frame.top);
  const left = clamp(point.x - across * w, -0.5, cols - 0.5 - w);
  const top = clamp(point.y - down * h, -0.5, rows - 0.5 - h);
  return { x: [left, left + w], y: [top + h, top] };
}

/**
 * Return the range of an axis, as an array of its own.
 * @param {string} axis such as "xaxis2"
 * @param {View} view
 */
export const rangeOf = (axis, view) => [...(axis.startsWith("x") ? view.x : view.y)];

/**
 * Return the ranges of axes as Plotly's relayout takes them.
 * @param {string[]} axes
 * @param {View} view
 */
export function rangesOf(axes, view) {
  return Object.fromEntries(axes.map((axis) => [`${axis}.range`, rangeOf(axis, view)]));
}

/** The part of a figure's panels that is in view, as drags and pinches change it. */
export class Zoom {
  /**
   * @param {() => Panel[]} panels
   * @param {() => Promise<void>} draw draws the view
   */
  constructor(panels, draw) {
    this.panels = panels;
    this.draw = draw;
    /** @type {View | null} null for all pixels */
    this.view = null;
    /** @type {{ view: View, panel: Panel, point: Point } | null} where a pinch or a pan began */
    this.held = null;
    this.isDrawing = false;
  }

  /** @param {Point} place */
  panelAt(place) {
    return this.panels().find((panel) => panel.contains(place));
  }

  /**
   * Return the part of a panel that a drag zooms into; null if it is too short.
   * @param {Point} from
   * @param {Point} to
   */
  box(from, to) {
    const panel = this.panelAt(from);
    const length = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
    return panel && length >= MIN_DRAG ? { panel, ...boxInFrame(panel.frame, from, to) } : null;
  }

  /**
   * Zoom into the box of a drag; return whether there is one.
   * @param {Point} from
   * @param {Point} to
   */
  into(from, to) {
    const box = this.box(from, to);
    if (!box) return false;
    const { panel, left, right, top, bottom, share } = box;
    const { frame } = panel;
    const point = panel.toAxes({ x: (left + right) / 2, y: (top + bottom) / 2 });
    const place = { x: (frame.left + frame.right) / 2, y: (frame.top + frame.bottom) / 2 };
    this.set(changedView(panel.view, panel, { point, place, factor: 1 / share }));
    return true;
  }

  /**
   * Begin a pinch or a pan; return whether there is a panel at this place.
   * @param {Point} place
   */
  hold(place) {
    const panel = this.panelAt(place);
    this.held = panel ? { view: panel.view, panel, point: panel.toAxes(place) } : null;
    return this.held !== null;
  }

  /**
   * Zoom by a factor since `hold`, whose point moves to this place.
   * @param {Point} place
   * @param {number} factor
   */
  change(place, factor) {
    if (!this.held) return;
    const { view, panel, point } = this.held;
    this.set(changedView(view, panel, { point, place, factor }));
  }

  /**
   * Show a part of the panels; the last one wins while another is drawn.
   * @param {View | null} view
   */
  async set(view) {
    this.view = view;
    if (this.isDrawing) return;
    this.isDrawing = true;
    try {
      let drawn;
      do {
        drawn = this.view;
        await this.draw();
      } while (drawn !== this.view);
    } finally {
      this.isDrawing = false;
    }
  }
}
