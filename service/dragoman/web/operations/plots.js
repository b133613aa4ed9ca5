/**
 * What is plotted over time, one function per plot: from what operators are told to lines. A further plot is a further
 * function in `PLOTS`; `chart.js` draws whatever it says.
 */

import { count, seconds } from './figures.js';

/** @import { Series, Snapshot } from './board.d.ts' */

const COUNTED = new Set(['finals', 'errors', 'warnings']);

/**
 * A line; `tone` and `dash` tell it from others, `steps` that values hold for the whole interval.
 * @typedef {object} Line
 * @property {string} label
 * @property {(number | null)[]} values
 * @property {0 | 1 | 2} tone
 * @property {number[]} [dash]
 * @property {boolean} [steps]
 *
 * `at` is Unix time in seconds, as long as every line; `read` says a value in words.
 * @typedef {object} Plot
 * @property {string} id
 * @property {string} title
 * @property {string} note what is meant, in a sentence
 * @property {number[]} at
 * @property {Line[]} lines
 * @property {(value: number | null) => string} read
 * @property {string} [over] when that was, if not in the last hour
 */

/** @type {((snapshot: Snapshot) => Plot)[]} */
export const PLOTS = [finalDelays, firstDelays, load, backlog, throughput];

/**
 * Return the series from when anything could be measured, five minutes at least; of what is counted, without the
 * interval that is not over.
 * @param {Series} series
 */
export function measured(series) {
  const began = series.streams.findIndex((each) => each !== null);
  const from = Math.max(0, Math.min(began < 0 ? Infinity : began, series.at_s.length - 300 / series.interval_s));
  const cut = /** @type {Record<string, any>} */ ({ ...series });
  for (const [name, values] of Object.entries(series)) {
    if (!Array.isArray(values)) continue;
    cut[name] = values.slice(from);
    if (COUNTED.has(name)) cut[name][cut[name].length - 1] = null;
  }
  return /** @type {Series} */ (cut);
}

/** @param {Snapshot} snapshot @returns {Plot} */
export function finalDelays(snapshot) {
  const series = measured(snapshot.series);
  return {
    id: 'final-delays',
    title: 'Delay of finals',
    note: 'From the end of speech to the final.',
    at: series.at_s,
    lines: [
      { label: 'p50', values: series.final_p50_ms, tone: 0 },
      { label: 'p95', values: series.final_p95_ms, tone: 1, dash: [6, 4] },
    ],
    read: seconds,
  };
}

/** @param {Snapshot} snapshot @returns {Plot} */
export function firstDelays(snapshot) {
  const series = measured(snapshot.series);
  return {
    id: 'first-delays',
    title: 'Delay of drafts',
    note: 'First word: from the first sound of an utterance to its first text. Drafts: from sound to text that covers it.',
    at: series.at_s,
    lines: [
      { label: 'first word p50', values: series.word_p50_ms, tone: 2, dash: [2, 3] },
      { label: 'draft p50', values: series.partial_p50_ms, tone: 0 },
      { label: 'draft p95', values: series.partial_p95_ms, tone: 1, dash: [6, 4] },
    ],
    read: seconds,
  };
}

/** @param {Snapshot} snapshot @returns {Plot} */
export function load(snapshot) {
  const series = measured(snapshot.series);
  return {
    id: 'load',
    title: 'Live streams',
    note: 'The most at one time.',
    at: series.at_s,
    lines: [{ label: 'streams', values: series.streams, tone: 0, steps: true }],
    read: whole,
  };
}

/** @param {Snapshot} snapshot @returns {Plot} */
export function backlog(snapshot) {
  const series = measured(snapshot.series);
  return {
    id: 'backlog',
    title: 'Waiting to be heard',
    note: 'Audio without an outcome yet, of the session that is furthest behind; the utterance that is being spoken counts.',
    at: series.at_s,
    lines: [{ label: 'most behind', values: series.behind_ms, tone: 0, steps: true }],
    read: seconds,
  };
}

/** @param {Snapshot} snapshot @returns {Plot} */
export function throughput(snapshot) {
  const series = measured(snapshot.series);
  return {
    id: 'throughput',
    title: 'Finals and trouble',
    note: `In every ${series.interval_s} seconds.`,
    at: series.at_s,
    lines: [
      { label: 'finals', values: series.finals, tone: 0, steps: true },
      { label: 'errors', values: series.errors, tone: 1, dash: [6, 4], steps: true },
      { label: 'warnings', values: series.warnings, tone: 2, dash: [2, 3], steps: true },
    ],
    read: whole,
  };
}

/** Return the rows of a plot's table, newest first: the moments at which anything was measured. @param {Plot} plot */
export function rowsOf({ at, lines }) {
  return at
    .map((atS, index) => ({ atS, values: lines.map(({ values }) => values[index]) }))
    .filter(({ values }) => values.some((each) => each))
    .reverse();
}

/** Return a plot in a sentence, for who does not see it. @param {Plot} plot */
export function inWords({ title, lines, read, over = 'last hour' }) {
  const told = lines.map(({ label, values }) => {
    const known = values.filter((each) => each !== null);
    if (!known.length) return `${label} not measured yet`;
    return `${label} now ${read(known[known.length - 1])}, most ${read(Math.max(...known))}`;
  });
  return `${title}, ${over}: ${told.join('; ')}.`;
}

/** @param {number | null} value */
function whole(value) {
  return value === null ? '–' : count(value);
}
