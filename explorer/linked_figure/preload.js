/**
 * Loads the figure's modules and plotly.js while the page around the figure still loads.
 *
 * The URL of plotly.js is in the query of this module's URL.
 */

import "./component.js";
import { loadPlotly } from "./load_plotly.js";

const url = new URL(import.meta.url).searchParams.get("plotly");
if (url) loadPlotly(url).catch(() => {}); // the figure tries again and reports it
