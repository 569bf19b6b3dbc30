/** The parts of plotly.js that the modules use; names with an underscore are private to it. */

export interface Plotly {
  react(node: PlotNode, data: object[], layout: object, config: object): Promise<unknown>;
  relayout(node: PlotNode, update: object): Promise<unknown>;
  toImage(
    node: PlotNode,
    options: { format: "svg"; width: number; height: number },
  ): Promise<string>;
  purge(node: PlotNode): void;
}

export interface PlotNode extends HTMLElement {
  on(event: "plotly_relayout", handler: () => void): void;
  _fullLayout: { width: number; height: number; [axis: string]: unknown };
  _fullData: Trace[];
}

/** A heatmap trace, which has z, or a curve, which has x and y. */
export interface Trace {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  xaxis: string;
  yaxis: string;
  x0: number;
  dx: number;
  y0: number;
  dy: number;
  z: ArrayLike<number>[];
}

export interface Axis {
  range: [number, number];
  _offset: number;
  _length: number;
  p2d(pixels: number): number;
  d2p(value: number): number;
}

declare global {
  interface Window {
    Plotly: Plotly;
  }
}
