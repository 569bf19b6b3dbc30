/**
 * Unpacks what packed.py has packed.
 * @import { Message } from "../linked_figure/payload.js"
 */

/**
 * @typedef {object} Content
 * @property {unknown[]} arrays
 * @property {{ light: Message[], dark: Message[] }} messages
 */

/**
 * Return the text of compressed bytes.
 * @param {BufferSource} bytes
 */
export async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/**
 * Return a URL of plotly.js from compressed bytes.
 * @param {BufferSource} bytes
 */
export async function plotlyUrl(bytes) {
  const script = await unpack(bytes);
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

/**
 * Return the messages by theme, one for each channel, with the arrays in place of their numbers.
 * @param {string} text
 * @returns {Content["messages"]}
 */
export function readMessages(text) {
  /** @type {Content} */
  const { arrays, messages } = JSON.parse(text);
  return JSON.parse(JSON.stringify(messages), (_, value) =>
    value?.array === undefined ? value : arrays[value.array],
  );
}
