/**
 * Writes the lines under a figure: one pixel's values, as terms of a sum.
 * @import { Term, Value } from "./payload.js"
 */

import { addsUp, formatValue } from "./format.js";

const TITLE = "This pixel";
const NOTE = "linked-figure-note";
const SIGNS = [
  ["→", ", then"],
  ["·", ","],
  ["+", "plus"],
  ["=", "equals"],
  ["−", "minus "],
];

/** @typedef {(panel: string) => Value | undefined} ValueOf the value of a panel at the pixel */

/**
 * Write a pixel's position and lines of terms. What is the same is left, so that it stays selected.
 * @param {HTMLElement} node
 * @param {string} position
 * @param {Term[][]} lines
 * @param {ValueOf} valueOf
 */
export function writeReadout(node, position, lines, valueOf) {
  const heading = document.createElement("div");
  const title = document.createElement("strong");
  title.textContent = TITLE;
  heading.append(title, " ", note(position));
  const rows = lines.map((line) => {
    const row = document.createElement("div");
    // Spaces between the parts, for screen readers; a flex container does not show them.
    row.append(...line.flatMap((term) => [termNode(term, valueOf), " "]));
    return row;
  });
  const written = document.createElement("div");
  written.append(heading, ...rows.flatMap((row) => [" ", row]));
  if (written.innerHTML !== node.innerHTML) node.replaceChildren(...written.childNodes);
}

/**
 * Return what a readout says in words, without the heading; its lines are parts of one sentence.
 * @param {HTMLElement} node as `writeReadout` left it, or with a text of its own
 */
export function spokenReadout(node) {
  if (!node.children.length) return node.textContent ?? "";
  const lines = [...node.children].slice(1).map((line) =>
    [...line.children]
      .filter((part) => part.textContent)
      .map((part) =>
        part.classList.contains(NOTE) ? `, ${part.textContent}` : ` ${part.textContent}`,
      )
      .join(""),
  );
  return `${spokenText(lines.join(";")).trim()}.`;
}

/**
 * Return a text with words for its signs, which screen readers leave out.
 * @param {string} text
 */
export function spokenText(text) {
  const words = SIGNS.reduce((said, [sign, word]) => said.replaceAll(sign, word), text);
  return words.replace(/ +/g, " ").replaceAll(" ,", ",");
}

/**
 * @param {Term} term
 * @param {ValueOf} valueOf
 */
function termNode(term, valueOf) {
  switch (term.kind) {
    case "value":
      return valueNode(term, valueOf(term.panel));
    case "larger": {
      const [first, second] = term.panels.map((panel) => Math.abs(valueOf(panel) ?? 0));
      const text = first >= second ? term.texts[0] : term.texts[1];
      return note(first || second ? text : "");
    }
    case "negative":
      return note((valueOf(term.panel) ?? 0) < 0 ? term.text : "");
    case "signs": {
      const [first, second] = term.panels.map((panel) => valueOf(panel) || NaN);
      if (Number.isNaN(first + second)) return note(""); // one is 0 or not finite
      const words = note(term.texts[2 * Number(first < 0) + Number(second < 0)]);
      words.classList.add("linked-figure-words");
      return words;
    }
    case "rounded": {
      const [total, ...values] = [term.total, ...term.panels].map((panel) =>
        printed(valueOf(panel)),
      );
      return note(addsUp(values, total) ? "" : term.text);
    }
    default: {
      const node = document.createElement("span");
      node.textContent = term.text;
      return node;
    }
  }
}

/**
 * @param {Extract<Term, { kind: "value" }>} term
 * @param {Value | undefined} value
 */
function valueNode(term, value) {
  const node = document.createElement("span");
  node.dataset.panel = term.panel;
  node.dataset.value = String(value);
  node.style.color = term.colour ?? "";
  node.textContent = `${term.text} ${printed(value)}`;
  return node;
}

const printed = (/** @type {Value | undefined} */ value) =>
  value === undefined ? "–" : formatValue(value);

function note(/** @type {string} */ text) {
  const node = document.createElement("span");
  node.className = NOTE;
  node.textContent = text;
  return node;
}
