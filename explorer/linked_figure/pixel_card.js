/**
 * The card of one pixel's values: in the figure where there is room, else below it, and while that
 * is out of sight as a sheet at the bottom of the window.
 * @import { Layout, Link, Term } from "./payload.js"
 * @import { ValueOf } from "./readout.js"
 */

import { cornerOf } from "./layout.js";
import { writeReadout } from "./readout.js";

const CORNER_WIDTH = 326; // CSS pixels of the card's room at which its text has the usual size
const TWO_LINES_WIDTH = 450; // the same, where it has a line for each of two blocks
const TEXT = 16; // CSS pixels
const GAP = 12; // CSS pixels between a panel and the sheet

export class PixelCard {
  /** @param {HTMLElement} root the figure's element */
  constructor(root) {
    this.root = root;
    this.place = addChild(root, "div", "linked-figure-place"); // keeps its height under the sheet
    this.card = addChild(this.place, "div", "linked-figure-card");
    this.readout = addChild(this.card, "div", "linked-figure-readout");
    this.button = addChild(this.card, "button", "linked-figure-close");
    this.button.setAttribute("aria-label", "Close");
    this.button.textContent = "×";
    this.button.addEventListener("click", () => this.close());
    this.place.hidden = true;
    this.isInFigure = false;
  }

  /**
   * Place the card in the figure if its layout has room for it, else below.
   * @param {Layout} layout
   * @param {number} lines of values that it will hold
   */
  fit(layout, lines) {
    const { root, card } = this;
    const corner = cornerOf(layout);
    this.isInFigure = corner !== null;
    card.classList.toggle("linked-figure-corner", this.isInFigure);
    card.style.left = corner ? `${corner.left}px` : "";
    card.style.top = corner ? `${corner.top}px` : "";
    card.style.width = corner ? `${corner.width}px` : "";
    card.style.maxHeight = corner ? `${corner.height}px` : "";
    const usual = lines > 1 ? TWO_LINES_WIDTH : CORNER_WIDTH;
    root.style.fontSize = corner ? `${TEXT * Math.max(1, corner.width / usual)}px` : "";
    if (this.isInFigure) this.close();
  }

  /**
   * Write a sentence in place of values. What is the same is left, so that it stays selected.
   * @param {string} words
   */
  say(words) {
    if (this.readout.textContent !== words) this.readout.textContent = words;
    this.card.classList.remove("linked-figure-values");
  }

  /**
   * Write the hint for what to do: in words for fingers where there is no mouse.
   * @param {Exclude<Link, { mode: "box" }>} link
   */
  hint(link) {
    const isTouch = window.matchMedia("(hover: none)").matches;
    this.say((isTouch && link.touch_hint) || link.hint);
  }

  /**
   * Write a pixel's values.
   * @param {string} position
   * @param {Term[][]} lines
   * @param {ValueOf} valueOf
   */
  write(position, lines, valueOf) {
    writeReadout(this.readout, position, lines, valueOf);
    this.card.classList.add("linked-figure-values");
  }

  /**
   * Bring the card into sight, without covering a panel where the page can be scrolled.
   * @param {{ top: number, bottom: number }} panel CSS pixels from the window's upper edge
   */
  open(panel) {
    if (this.isInFigure || this.isOpen || this.isInSight()) return;
    this.place.style.minHeight = `${this.place.offsetHeight}px`;
    this.card.classList.add("linked-figure-sheet");
    const covered = panel.bottom + GAP - this.card.getBoundingClientRect().top;
    const top = Math.min(covered, panel.top);
    if (top > 0) scrollerOf(this.root).scrollBy({ top, behavior: "smooth" });
  }

  /** Put the card back in its place. */
  close() {
    this.card.classList.remove("linked-figure-sheet");
    this.place.style.minHeight = "";
  }

  get isOpen() {
    return this.card.classList.contains("linked-figure-sheet");
  }

  isInSight() {
    const { top, bottom } = this.place.getBoundingClientRect();
    return top >= 0 && bottom <= window.innerHeight;
  }
}

/**
 * Return the element that scrolls what is in `node`.
 * @param {Element} node
 */
function scrollerOf(node) {
  for (let each = node.parentElement; each; each = each.parentElement) {
    const isScroller = /auto|scroll/.test(getComputedStyle(each).overflowY);
    if (isScroller && each.scrollHeight > each.clientHeight) return each;
  }
  return document.documentElement;
}

/**
 * @param {HTMLElement} parent
 * @param {string} tag
 * @param {string} name
 */
export function addChild(parent, tag, name) {
  const child = document.createElement(tag);
  child.className = name;
  parent.append(child);
  return child;
}
