// A Plotly figure that stays alive. Python sends traces and two layouts; this
// file draws the one that fits and keeps the plot's node through every change.

const NARROW_BELOW = 800; // pixels of room under which the second layout is used
const NARROW_MOST = 620; // pixels beyond which that layout does not grow
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };

let plotlyScript;

function loadPlotly(url) {
  plotlyScript ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.js could not be loaded"));
    document.head.append(script);
  });
  return plotlyScript;
}

// The layout for this much room: what lies inside the margins keeps its proportions.
function fitted(layouts, room) {
  const narrow = room < NARROW_BELOW;
  const layout = narrow ? layouts[1] : layouts[0];
  const width = narrow ? Math.min(room, NARROW_MOST) : room;
  const { l, r, t, b } = layout.margin;
  const scale = (width - l - r) / (layout.width - l - r);
  const height = Math.round((layout.height - t - b) * scale + t + b);
  return { ...layout, width, height };
}

function shownTheme(node) {
  const background = getComputedStyle(node).getPropertyValue("--st-background-color");
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = background;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384 ? "dark" : "light";
}

const figures = new WeakMap();

class Figure {
  constructor(root) {
    this.node = root.querySelector(".linked-figure");
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.node);
  }

  async show(Plotly, message, setStateValue) {
    this.Plotly = Plotly;
    this.message = message;
    await this.draw();
    const theme = shownTheme(this.node);
    if (theme !== message.theme) setStateValue("theme", theme);
  }

  draw() {
    const room = Math.floor(this.node.clientWidth);
    if (!this.message || room === 0) return undefined;
    const same = this.drawn === this.message && this.room === room;
    if (same) return undefined;
    this.drawn = this.message;
    this.room = room;
    const layout = fitted(this.message.layouts, room);
    layout.uirevision = "kept"; // Plotly then keeps the reader's zoom
    return this.Plotly.react(this.node, this.message.data, layout, CONFIG);
  }

  remove() {
    this.watcher.disconnect();
    this.Plotly?.purge(this.node);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let figure = figures.get(parentElement);
  if (!figure) figures.set(parentElement, (figure = new Figure(parentElement)));
  loadPlotly(data.plotly).then((Plotly) => figure.show(Plotly, data, setStateValue));
  return () => {
    if (parentElement.isConnected) return;
    figure.remove();
    figures.delete(parentElement);
  };
}
