/**
 * Loads plotly.js once for the whole document.
 * @import { Plotly } from "./plotly.js"
 */

/** @type {Promise<Plotly> | undefined} */
let loading;

/**
 * Return Plotly, after its script has run.
 * @param {string} url
 * @returns {Promise<Plotly>}
 */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    const before = window.Plotly; // a notebook's, which other figures need
    script.onload = () => {
      const loaded = window.Plotly;
      window.Plotly = before ?? loaded;
      resolve(loaded);
    };
    script.onerror = () => {
      loading = undefined; // so that the next message tries again
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}
