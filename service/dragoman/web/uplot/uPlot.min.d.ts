/** What the page uses of uPlot; browsers never load this file. */

export interface Axis {
  scale?: string;
  stroke?: string;
  font?: string;
  size?: number;
  space?: number;
  incrs?: number[];
  grid?: { stroke?: string; width?: number };
  ticks?: { show?: boolean; stroke?: string; width?: number; size?: number };
  values?: (plot: uPlot, splits: number[]) => (string | null)[];
}

export interface Series {
  label?: string;
  scale?: string;
  stroke?: string;
  width?: number;
  dash?: number[];
  fill?: string;
  spanGaps?: boolean;
  points?: { show?: boolean; size?: number };
  paths?: unknown;
}

export interface Options {
  width: number;
  height: number;
  padding?: (number | null)[];
  legend?: { show: boolean };
  cursor?: { show?: boolean; drag?: { x?: boolean; y?: boolean }; points?: { show?: boolean } };
  scales?: Record<string, { time?: boolean; range?: (plot: uPlot, min: number | null, max: number | null) => [number, number] }>;
  axes?: Axis[];
  series: Series[];
}

export type Data = [number[], ...(number | null)[][]];

export default class uPlot {
  static paths: { stepped(options: { align: 1 | -1 }): unknown };
  constructor(options: Options, data: Data, target: HTMLElement);
  setData(data: Data): void;
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
}
