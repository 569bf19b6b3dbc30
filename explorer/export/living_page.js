/**
 * Shows the figure of a saved page, which has neither server nor network.
 *
 * The page holds plotly.js and the figure's messages, compressed: one message for each channel in
 * each theme. Arrays that messages share are stored once.
 */

import { LinkedFigure } from "../linked_figure/component.js";
import { plotlyUrl, readMessages, unpack } from "./packed.js";

const root = /** @type {HTMLElement} */ (document.querySelector(".linked-figure"));
const channelField = /** @type {HTMLInputElement | null} */ (document.querySelector("#channel"));
const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const figure = new LinkedFigure(root);

/**
 * Return the compressed bytes that an element of the page holds in base64.
 * @param {string} id
 */
function bytesOf(id) {
  const packed = document.getElementById(id)?.textContent ?? "";
  return Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
}

async function start() {
  const [plotly, text] = await Promise.all([
    plotlyUrl(bytesOf("plotly")),
    unpack(bytesOf("messages")),
  ]);
  const messages = readMessages(text);
  let pin = messages.light[0]?.link?.mode === "pin" ? messages.light[0].link.pin : null;

  /** Show the channel of the field in the page's theme. */
  const show = () => {
    const theme = darkScheme.matches ? "dark" : "light";
    const message = messages[theme][Number(channelField?.value ?? 0)];
    if (!message) return;
    const { link } = message;
    const pinned = link?.mode === "pin" ? { ...link, pin } : link;
    figure.show({ ...message, link: pinned, plotly }, host);
  };

  const host = {
    /**
     * @param {string} name
     * @param {unknown} value
     */
    state(name, value) {
      if (name !== "pin") return;
      const [panel, row, col] = String(value).split(",");
      pin = panel ? { panel, row: Number(row), col: Number(col) } : null;
    },
    /**
     * @param {string} name
     * @param {unknown} value
     */
    trigger(name, value) {
      if (name !== "step" || !channelField) return;
      const last = Number(channelField.max);
      channelField.valueAsNumber = Math.min(
        last,
        Math.max(0, channelField.valueAsNumber + Number(value)),
      );
      show();
    },
  };
  channelField?.addEventListener("input", show);
  channelField?.addEventListener("change", () => {
    const { value, max } = channelField;
    channelField.valueAsNumber = Math.min(Number(max), Math.max(0, Math.round(Number(value))));
    show();
  });
  darkScheme.addEventListener("change", show);
  show();
}

start().catch(() => {
  figure.fail("This browser cannot unpack the figure. A browser of 2023 or later can.");
});
