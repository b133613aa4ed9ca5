/** How a timeline is laid out: a window of time, what lies in it, and where. Pure: values in, values out. */

/** @import { Interval, Mark, Timeline } from './board.d.ts' */

/** @typedef {{fromMs: number, toMs: number}} Window */

export const SHORTEST_MS = 5_000;

/** Return the window of a whole timeline. @param {Pick<Timeline, 'end_ms'>} timeline @returns {Window} */
export function whole({ end_ms: endMs }) {
  return { fromMs: 0, toMs: Math.max(endMs, 1) };
}

/**
 * Return a window that shows so many times as much, around the same middle.
 * @param {Window} window
 * @param {number} times
 * @param {number} endMs
 */
export function zoomed({ fromMs, toMs }, times, endMs) {
  const width = Math.min(Math.max(times * (toMs - fromMs), SHORTEST_MS), Math.max(endMs, 1));
  return placed((fromMs + toMs) / 2 - width / 2, width, endMs);
}

/**
 * Return the window moved by a share of its width.
 * @param {Window} window
 * @param {number} share
 * @param {number} endMs
 */
export function moved({ fromMs, toMs }, share, endMs) {
  return placed(fromMs + share * (toMs - fromMs), toMs - fromMs, endMs);
}

/** @param {number} fromMs @param {number} width @param {number} endMs @returns {Window} */
function placed(fromMs, width, endMs) {
  const start = Math.round(Math.max(0, Math.min(fromMs, endMs - width)));
  return { fromMs: start, toMs: Math.round(start + width) };
}

/** Return what lies in a window. @param {Interval[]} intervals @param {Window} window */
export function within(intervals, { fromMs, toMs }) {
  return intervals.filter((each) => each.start_ms < toMs && each.end_ms > fromMs);
}

/** Return the marks in a window. @param {Mark[]} marks @param {Window} window */
export function marksWithin(marks, { fromMs, toMs }) {
  return marks.filter((each) => each.at_ms >= fromMs && each.at_ms <= toMs);
}

/**
 * Return where something is drawn, in units of a picture so wide; nothing is thinner than a pixel.
 * @param {{start_ms: number, end_ms: number}} span
 * @param {Window} window
 * @param {number} width
 */
export function placeOf({ start_ms: startMs, end_ms: endMs }, { fromMs, toMs }, width) {
  const scale = width / (toMs - fromMs);
  const x = Math.max(0, (startMs - fromMs) * scale);
  const end = Math.min(width, (endMs - fromMs) * scale);
  return { x: round(x), width: round(Math.max(1, end - x)) };
}

/**
 * Return which engine heard what: spans from one change to the next.
 * @param {Mark[]} marks
 * @param {number} endMs
 */
export function engineSpans(marks, endMs) {
  const changes = marks.filter(({ kind }) => kind === 'engine');
  return changes.map(({ at_ms: atMs, label }, index) => ({
    engine: label.split(' → ').at(-1) ?? label,
    start_ms: atMs,
    end_ms: changes[index + 1]?.at_ms ?? Math.max(endMs, atMs),
  }));
}

/** Return times for an axis: round ones, six or so. @param {Window} window */
export function ticks({ fromMs, toMs }) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200].map((s) => 1000 * s);
  const step = steps.find((each) => (toMs - fromMs) / each <= 7) ?? steps[steps.length - 1];
  const found = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) found.push(at);
  return found;
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}
