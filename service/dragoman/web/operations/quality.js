/** How good the service is: from what the monitor tells to plots and panels. Pure, but for the elements it makes. */

import { language, made, table } from './made.js';
import { count, dollars, percent, span, UNKNOWN } from './figures.js';
import { bar, said } from './panels.js';

/** @import { Finding, Monitored, Objective, Signal } from './monitored.d.ts' */
/** @import { Line, Plot } from './plots.js' */

/** @typedef {{id: string, title: string, show: (monitored: Monitored) => (Node | string)[]}} QualityPanel */

/** What stands below the plots of quality, in this order. @type {QualityPanel[]} */
export const QUALITY_PANELS = [
  { id: 'objectives', title: 'What is promised', show: objectives },
  { id: 'alerts', title: 'Alerts', show: alerts },
  { id: 'drift', title: 'Drift', show: drift },
  { id: 'budgets', title: 'Budgets', show: budgets },
  { id: 'signals', title: 'Live quality', show: signals },
];

/** @type {((monitored: Monitored) => Plot)[]} */
export const QUALITY_PLOTS = [burnRates, sureness, safety];

/** How fast error budgets burn, by the hour. @param {Monitored} monitored @returns {Plot} */
export function burnRates({ objectives: promised, outcomes }) {
  const shown = promised.slice(0, 3);
  const at = hoursOf(shown.map(({ name }) => (outcomes[name] ?? []).map(([hour]) => hour)));
  const lines = shown.map(({ name, title, goal }, index) => {
    const known = new Map((outcomes[name] ?? []).map(([hour, good, total]) => [hour, total ? (total - good) / total / (1 - goal) : null]));
    return line(title, at, known, index);
  });
  return plot('burn', 'Error budgets', 'How many times as fast as it may each burns, hour by hour; 1 uses up all of it.', at, lines, times);
}

/** @param {Monitored} monitored @returns {Plot} */
export function sureness({ signals: seen }) {
  const note = 'Means of every hour, over all languages: a final’s confidence, and the lead of its language over the next.';
  return ofSignals('sureness', 'How sure it is', note, seen, { confidence: 'confidence', lid_margin: 'lead of the language' });
}

/** @param {Monitored} monitored @returns {Plot} */
export function safety({ signals: seen }) {
  const names = { suppressed: 'texts left out', untranslated: 'failed translations', injections: 'orders to the model' };
  return ofSignals('safety', 'What was held back', 'Shares of every hour.', seen, names);
}

/**
 * @param {string} id @param {string} title @param {string} note @param {Signal[]} seen
 * @param {Record<string, string>} names what each figure is called
 */
function ofSignals(id, title, note, seen, names) {
  const chosen = Object.keys(names).map((name) => meanByHour(seen.filter(({ signal }) => signal === name)));
  const at = hoursOf(chosen.map((means) => [...means.keys()]));
  const lines = Object.values(names).map((label, index) => line(label, at, chosen[index], index));
  return plot(id, title, note, at, lines, (value) => (value === null ? UNKNOWN : value.toFixed(2)));
}

/** The mean of a figure in every hour, wherever it was counted. @param {Signal[]} seen @returns {Map<number, number | null>} */
export function meanByHour(seen) {
  /** @type {Map<number, {n: number, sum: number}>} */
  const sums = new Map();
  for (const { hours } of seen)
    for (const [hour, n, mean] of hours) {
      const before = sums.get(hour) ?? { n: 0, sum: 0 };
      sums.set(hour, { n: before.n + n, sum: before.sum + n * (mean ?? 0) });
    }
  return new Map([...sums].map(([hour, { n, sum }]) => [hour, n ? sum / n : null]));
}

/** All hours from the first to the last of several lists, in ms; none, if there are none. @param {number[][]} lists */
export function hoursOf(lists) {
  const all = lists.flat();
  if (!all.length) return [];
  const first = Math.min(...all);
  return Array.from({ length: Math.round((Math.max(...all) - first) / 3_600_000) + 1 }, (_, index) => first + index * 3_600_000);
}

/** @param {string} label @param {number[]} at @param {Map<number, number | null>} known @param {number} index @returns {Line} */
function line(label, at, known, index) {
  const dash = [undefined, [6, 4], [2, 3]][index];
  const tone = /** @type {0 | 1 | 2} */ (index);
  return { label, values: at.map((hour) => known.get(hour) ?? null), tone, steps: true, ...(dash ? { dash } : {}) };
}

/**
 * @param {string} id @param {string} title @param {string} note @param {number[]} at in ms
 * @param {Line[]} lines @param {(value: number | null) => string} read @returns {Plot}
 */
function plot(id, title, note, at, lines, read) {
  return { id, title, note, at: at.map((ms) => ms / 1000), lines, read, over: 'by the hour' };
}

/** @param {Monitored} monitored */
function objectives({ objectives: promised }) {
  const rows = promised.map((each) => [
    each.title,
    `${figure(100 * each.goal)} %`,
    each.attained === null ? UNKNOWN : `${(100 * each.attained).toFixed(2)} %`,
    count(each.total),
    left(each),
    burning(each),
  ]);
  const days = [...new Set(promised.map(({ days: over }) => over))].join(' or ');
  const note = `Over ${days} days. Somebody is told when a budget burns too fast over a long and a short time at once.`;
  return [made('p', 'hint', note), table('Objectives', ['Objective', '#Goal', '#Attained', '#Of', 'Budget left', 'Burns'], rows)];
}

/** @param {Objective} objective */
function left({ budget_left: rest }) {
  if (rest === null) return UNKNOWN;
  const shown = made('span', 'left');
  shown.append(bar(Math.max(0, rest), ''), said(rest <= 0 ? 'bad' : rest < 0.25 ? 'odd' : '', rest < 0 ? 'overdrawn' : percent(rest)));
  return shown;
}

/** @param {Objective} objective */
function burning({ burns, total }) {
  const hot = burns.filter(({ is_burning: isHot }) => isHot);
  if (!total) return UNKNOWN;
  return hot.length ? said('bad', hot.map((each) => `${times(each.long)} over ${span(1000 * each.long_s)}`).join(', ')) : said('good', 'as it may');
}

/** @param {Monitored} monitored */
function alerts({ alerts: all }) {
  const rows = all
    .slice(0, 30)
    .map((each) => [
      each.rule.replaceAll('_', ' '),
      each.state === 'fired' ? said(each.severity < 3 ? 'bad' : 'odd', 'fires') : said('good', 'is over'),
      new Date(each.since_ms).toLocaleString('en-GB'),
      each.message,
    ]);
  return [table('Alerts', ['Alert', 'State', 'Since', 'What'], rows, 'Nobody had to be told of anything.')];
}

/** @param {Monitored} monitored */
function drift({ drift: { day, since, until, alpha, least, findings } }) {
  const order = { drift: 0, same: 1, unknown: 2 };
  const sorted = [...findings].sort((one, other) => order[one.outcome] - order[other.outcome] || (one.p ?? 1) - (other.p ?? 1));
  const known = sorted.filter(({ outcome }) => outcome !== 'unknown');
  const rows = known.map((each) => [
    each.title,
    place(each),
    each.outcome === 'drift' ? said('bad', 'drifts') : said('good', 'as ever'),
    far(each),
    figure(each.before),
    figure(each.after),
    count(each.n),
  ]);
  const few = findings.length - known.length;
  const note = `${day}, beside ${since} to ${until}. On ${figure(100 * alpha)} % of ordinary days, at most, anything is found.`;
  const rest = few ? [made('p', 'hint', `Of ${few} figures there are too few values: ${least.n} a day on ${least.days} days are needed.`)] : [];
  return [
    made('p', 'hint', note),
    table('Drift', ['Figure', 'Of', 'Is', '#Away (ordinary day)', '#Mean before', '#Mean now', '#Values'], rows, 'No day can be compared yet.'),
    ...rest,
  ];
}

/** @param {Finding} finding */
function far({ distance, usual, test }) {
  return `${test.toUpperCase()} ${figure(distance)} (${figure(usual)})`;
}

/** @param {Monitored} monitored */
function budgets({ budgets: accounts }) {
  const rows = accounts.map((each) => {
    const used = made('span', 'left');
    if (each.used !== null) used.append(bar(Math.min(1, each.used), ''), said(each.used >= 1 ? 'bad' : each.used >= 0.8 ? 'odd' : '', percent(each.used)));
    return [
      each.tenant,
      dollars(each.spent_usd),
      dollars(each.reserved_usd),
      each.limit_usd === null ? 'none' : dollars(each.limit_usd),
      each.used === null ? UNKNOWN : used,
    ];
  });
  return [
    made('p', 'hint', 'This month (UTC), at list price. What cannot be paid for is not begun, and what runs is ended with all it has.'),
    table('Budgets', ['Tenant', '#Spent', '#Reserved', '#Budget', 'Used'], rows, 'Nothing was spent this month.'),
  ];
}

/** @param {Monitored} monitored */
function signals({ signals: seen }) {
  const rows = seen.map((each) => [each.title, place(each), count(each.n), figure(each.mean), figure(each.p50), figure(each.p95), each.unit]);
  const columns = ['Figure', 'Of', '#Values', '#Mean', '#Median', '#95 %', 'Unit'];
  return [table('Live quality', columns, rows, 'Nothing was counted in this time.')];
}

/** @param {{locale: string, engine: string}} what */
function place({ locale, engine }) {
  const shown = made('span');
  if (locale) shown.append(locale.includes('>') ? locale.replace('>', ' → ') : language(locale), ' ');
  shown.append(made('span', 'hint', engine));
  return shown;
}

/** @param {number | null} value */
function figure(value) {
  return value === null ? UNKNOWN : String(Number(value.toPrecision(value > 90 ? 5 : 3)));
}

/** @param {number | null} value */
function times(value) {
  return value === null ? UNKNOWN : `${Number(value.toPrecision(3))}×`;
}
