/**
 * Loads plotly.js and the figure's modules while the page around the figure still loads.
 *
 * plotly.js is first: it is the largest, and would otherwise wait until all modules have arrived.
 * The URL of plotly.js is in the query of this module's URL.
 */

import { loadPlotly } from "./load_plotly.js";

const url = new URL(import.meta.url).searchParams.get("plotly");
// The figure loads both again where this fails, and reports it.
if (url) loadPlotly(url).catch(() => {});
import("./component.js").catch(() => {});
