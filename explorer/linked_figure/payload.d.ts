/** The types of payload.py, as they arrive in the browser. */

export interface Pixel {
  panel: string;
  row: number;
  col: number;
}

/** Null stands for a value that is not finite: JSON has no NaN or Infinity. */
export type Value = number | null;

export type Term =
  | { kind: "value"; panel: string; text: string; colour: string | null }
  | { kind: "text"; text: string }
  | { kind: "larger"; panels: [string, string]; texts: [string, string] }
  | { kind: "negative"; panel: string; text: string }
  | { kind: "signs"; panels: [string, string]; texts: [string, string, string, string] }
  | { kind: "rounded"; panels: string[]; total: string; text: string };

/** An offset and a stride: pixel n of the panel is centred on offset + stride · n. */
export type Grid = [number, number];

interface LinkBase {
  panels: string[];
  label: string;
}

export interface PinLink extends LinkBase {
  mode: "pin";
  rows: number;
  cols: number;
  title: string;
  hint: string;
  touch_hint: string;
  fields: Record<string, Record<string, [before: number, after: number]>>;
  grids: Record<string, Grid>;
  readout: Term[][];
  readouts: Record<string, Term[][]>;
  cells: [number, number][];
  pin: Pixel | null;
  acked_pin: string | null;
  exact: Record<string, Value> | null;
  window: string | null;
}

export interface PickLink extends LinkBase {
  mode: "pick";
  rows: number;
  cols: number;
  hint: string;
  touch_hint: string;
  labels: string[];
  picked: Pixel | null;
  curves: Record<string, string[]>;
  point_labels: Record<string, string[]>;
}

export interface BoxLink extends LinkBase {
  mode: "box";
  box: [number, number, number, number] | null;
}

export type Link = PinLink | PickLink | BoxLink;

export interface View {
  subject: string;
  channel: number | null;
  channels: number;
  scope: string;
}

export interface Message {
  figure: { data: { name?: string; xaxis?: string; yaxis?: string }[]; layout: Layout };
  narrow: Layout | null;
  digest: string;
  revision: string;
  label: string;
  link: Link | null;
  stale: boolean;
  restored: boolean;
  theme: "light" | "dark";
  own_colours: boolean;
  accent: string;
  view?: View | null;
  /** Messages of other views of the same subject. */
  views?: Message[];
  plotly: string;
}

export interface Layout {
  width: number;
  height: number;
  margin: { l: number; r: number; t: number; b: number };
  template: { layout: { font: { size: number } } };
  annotations?: Annotation[];
  shapes?: { line: { width: number } }[];
  coloraxis?: { colorbar: ColourBar };
  /**
   * The corner is the room for a pixel's values: left, right, top, bottom from 0 to 1, downwards.
   * A figure of fixed height is higher where it leaves `around` pixels of the window free.
   * The scale is how many times as large as in Python lengths and texts are, if larger.
   */
  meta?: {
    fixedHeight?: boolean;
    around?: number;
    corner?: [number, number, number, number];
    scale?: number;
  };
  [name: string]: unknown;
}

interface Annotation {
  text: string;
  font?: { size?: number };
  xshift?: number;
  yshift?: number;
}

export interface ColourBar {
  title: { text: string };
  [name: string]: unknown;
}
