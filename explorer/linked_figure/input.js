/**
 * Turns the events of mouse, touch and keyboard into actions on a figure.
 * @import { Point } from "./geometry.js"
 */

const CLICK_SLACK = 4; // CSS pixels that the pointer may move during a click
const DOUBLE_CLICK = 300; // milliseconds, the same as Plotly's
/** @type {Record<string, [down: number, right: number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @typedef {object} Actions
 * @property {(point: Point | null) => void} hover the pointer is here, or has left
 * @property {(point: Point) => boolean} press whether a click or a drag may begin here
 * @property {(from: Point, to: Point) => void} drag
 * @property {(from: Point, to: Point) => void} drop
 * @property {(point: Point, isDouble: boolean) => void} click
 * @property {(down: number, right: number, isPanel: boolean) => void} move
 * @property {() => void} pinCursor
 * @property {() => void} unpin
 * @property {(by: number) => void} step
 * @property {() => boolean} takesKeys
 * @property {() => void} focus the keyboard's focus has come or gone
 */

/** The listeners of one figure. */
export class Input {
  /**
   * @param {HTMLElement} root takes the keys
   * @param {HTMLElement} plot takes the pointer
   * @param {Actions} actions
   */
  constructor(root, plot, actions) {
    this.root = root;
    this.plot = plot;
    this.actions = actions;
    /** @type {Point | null} */
    this.pressed = null;
    /** @type {{ time: number, point: Point } | null} */
    this.lastClick = null;
    this.onRelease = (/** @type {PointerEvent} */ event) => this.release(event);
    // Before Plotly, which stops some of these events.
    plot.addEventListener("pointermove", (event) => this.pointerMove(event), true);
    plot.addEventListener("pointerleave", () => actions.hover(null));
    plot.addEventListener("pointerdown", (event) => this.press(event), true);
    window.addEventListener("pointerup", this.onRelease, true);
    root.addEventListener("keydown", (event) => this.keyDown(event));
    root.addEventListener("focus", actions.focus);
    root.addEventListener("blur", actions.focus);
  }

  /** Remove the listener that is not on the figure's own nodes. */
  remove() {
    window.removeEventListener("pointerup", this.onRelease, true);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  pointOf(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  pointerMove(/** @type {PointerEvent} */ event) {
    const point = this.pointOf(event);
    this.actions.hover(point);
    if (this.pressed) this.actions.drag(this.pressed, point);
  }

  press(/** @type {PointerEvent} */ event) {
    const point = this.pointOf(event);
    if (event.button === 0 && this.actions.press(point)) this.pressed = point;
  }

  release(/** @type {PointerEvent} */ event) {
    const { pressed } = this;
    this.pressed = null;
    if (!pressed) return;
    const point = this.pointOf(event);
    if (distance(point, pressed) > CLICK_SLACK) {
      this.actions.drop(pressed, point);
      return;
    }
    const time = performance.now();
    const last = this.lastClick;
    const isDouble =
      last !== null &&
      time - last.time < DOUBLE_CLICK &&
      distance(last.point, point) <= CLICK_SLACK;
    this.lastClick = { time, point };
    this.root.focus({ preventScroll: true });
    this.actions.click(point, isDouble);
  }

  keyDown(/** @type {KeyboardEvent} */ event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.actions.takesKeys()) return;
    const { key } = event;
    const arrow = ARROWS[key];
    if (arrow) this.actions.move(arrow[0], arrow[1], event.shiftKey);
    else if (key === "Enter" || key === " ") this.actions.pinCursor();
    else if (key === "Escape") this.actions.unpin();
    else if (key === "PageUp" || key === "PageDown") this.actions.step(key === "PageUp" ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
