import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Events, Feed } from '../../service/dragoman/web/operations/feed.js';
import { age, dollars, place, seconds, shortId, span, times } from '../../service/dragoman/web/operations/figures.js';
import { engineSpans, moved, placeOf, ticks, whole, within, zoomed } from '../../service/dragoman/web/operations/layout.js';
import { burnRates, hoursOf, meanByHour, sureness } from '../../service/dragoman/web/operations/quality.js';
import { PLOTS, finalDelays, inWords, measured, rowsOf } from '../../service/dragoman/web/operations/plots.js';

const TOLD = 'event: snapshot\ndata: {"a": "é"}\n\nevent: problem\r\ndata: 1\r\ndata: 2\r\n\r\n: a comment\n\n';

test('events are whole wherever the stream is cut', () => {
  for (let cut = 0; cut <= TOLD.length; cut++) {
    const events = new Events();
    const found = [...events.take(TOLD.slice(0, cut)), ...events.take(TOLD.slice(cut))];
    assert.deepEqual(found, [{ name: 'snapshot', data: '{"a": "é"}' }, { name: 'problem', data: '1\n2' }], `cut at ${cut}`);
  }
});

/** Follow a server that gives these answers one after another; return what was told until `last`. */
async function followed(answers, last) {
  const told = [];
  const asked = [];
  /** @type {Feed} */
  let feed;
  await new Promise((resolve) => {
    let isOver = false;
    const note = (each) => {
      if (isOver) return;
      told.push(each);
      isOver = each.startsWith(last);
      if (isOver) resolve();
    };
    feed = new Feed(
      {
        onSnapshot: ({ name }) => note(`snapshot ${name}`),
        onState: ({ kind, reason }) => note(reason ? `${kind}: ${reason}` : kind),
        key: () => 'k',
      },
      async (url, { headers }) => {
        asked.push([url, headers.Authorization]);
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    );
    feed.follow('http://server/v1/operations/stream');
  });
  feed.pause(); // or it would go on for ever
  return { told, asked };
}

const snapshot = (name) => `event: snapshot\ndata: {"name": "${name}"}\n\n`;

test('a lost connection is made again, with the key', async () => {
  const { told, asked } = await followed(
    [new Response(snapshot('one')), new TypeError('no network'), new Response(snapshot('two'))],
    'snapshot two',
  );
  assert.deepEqual(told, [
    'paused', 'connecting', 'live', 'snapshot one', 'waiting: the server ended the connection',
    'connecting', 'waiting: the server cannot be reached', 'connecting', 'live', 'snapshot two',
  ]);
  assert.deepEqual(asked[2], ['http://server/v1/operations/stream', 'Bearer k']);
});

test('what a key does not open is not asked for again, what is broken is', async () => {
  const problem = (status, message) => new Response(JSON.stringify({ error: { message } }), { status });
  const { told, asked } = await followed([problem(503, 'Busy.'), problem(401, 'No.')], 'refused');
  assert.equal(told.at(-1), 'refused: No.');
  assert.equal(asked.length, 2);
});

test('a server that cannot tell says why, and goes on', async () => {
  const trouble = 'event: problem\ndata: {"error": {"message": "The disk is full."}}\n\n';
  const { told } = await followed([new Response(trouble + snapshot('one'))], 'snapshot one');
  assert.deepEqual(told.slice(2), ['waiting: The disk is full.', 'live', 'snapshot one']);
});

/** Return series of so many intervals, of which the last few were measured. */
function series(intervals, known) {
  const none = Array(intervals - known).fill(null);
  const values = (from) => [...none, ...Array.from({ length: known }, (_, index) => from + index)];
  const names = ['streams', 'behind_ms', 'finals', 'errors', 'warnings', 'word_p50_ms', 'word_p95_ms', 'partial_p50_ms', 'partial_p95_ms'];
  return {
    interval_s: 10,
    at_s: Array.from({ length: intervals }, (_, index) => 1_000 + 10 * index),
    final_p50_ms: values(100),
    final_p95_ms: values(900),
    ...Object.fromEntries(names.map((name) => [name, values(1)])),
  };
}

test('what is plotted begins with what was measured, five minutes at least', () => {
  assert.equal(measured(series(360, 4)).at_s.length, 30);
  assert.equal(measured(series(360, 200)).at_s.length, 200);
  assert.equal(measured(series(360, 360)).at_s.length, 360);
  assert.equal(measured(series(360, 0)).at_s.length, 30);
});

test('what is counted is not shown before its interval is over', () => {
  const { finals, final_p50_ms: delays } = measured(series(360, 4));
  assert.deepEqual(finals.slice(-3), [2, 3, null]);
  assert.deepEqual(delays.slice(-2), [102, 103]);
});

test('every plot has lines as long as its time, told apart without colours', () => {
  for (const plot of PLOTS.map((each) => each({ series: series(360, 50) }))) {
    assert.ok(plot.title && plot.note && plot.id);
    for (const { values } of plot.lines) assert.equal(values.length, plot.at.length, plot.id);
    assert.equal(new Set(plot.lines.map(({ dash }) => String(dash))).size, plot.lines.length, plot.id);
    assert.equal(new Set(plot.lines.map(({ tone }) => tone)).size, plot.lines.length, plot.id);
  }
});

test('a plot is told in words and as a table', () => {
  const plot = finalDelays({ series: series(360, 3) });
  assert.equal(inWords(plot), 'Delay of finals, last hour: p50 now 0.10 s, most 0.10 s; p95 now 0.90 s, most 0.90 s.');
  assert.deepEqual(rowsOf(plot).map(({ values }) => values), [[102, 902], [101, 901], [100, 900]]);
  const nothing = finalDelays({ series: series(360, 0) });
  assert.equal(inWords(nothing), 'Delay of finals, last hour: p50 not measured yet; p95 not measured yet.');
});

test('a window is zoomed and moved within the session', () => {
  const all = whole({ end_ms: 60_000 });
  const half = zoomed(all, 0.5, 60_000);
  assert.deepEqual(half, { fromMs: 15_000, toMs: 45_000 });
  assert.deepEqual(moved(half, 0.5, 60_000), { fromMs: 30_000, toMs: 60_000 });
  assert.deepEqual(moved(half, 5, 60_000), { fromMs: 30_000, toMs: 60_000 });
  assert.deepEqual(moved(half, -5, 60_000), { fromMs: 0, toMs: 30_000 });
  assert.deepEqual(zoomed(half, 8, 60_000), all);
  assert.deepEqual(zoomed({ fromMs: 0, toMs: 6_000 }, 0.01, 60_000), { fromMs: 500, toMs: 5_500 });
  assert.deepEqual(zoomed(whole({ end_ms: 0 }), 0.5, 0), { fromMs: 0, toMs: 1 });
});

test('what lies in a window is drawn in it, and never thinner than a pixel', () => {
  const intervals = [[0, 1_000], [1_000, 1_001], [9_000, 12_000]].map(([start_ms, end_ms]) => ({ start_ms, end_ms }));
  const window = { fromMs: 500, toMs: 10_500 };
  assert.deepEqual(within(intervals, window), intervals);
  assert.deepEqual(within(intervals, { fromMs: 1_001, toMs: 9_000 }), []);
  assert.deepEqual(intervals.map((each) => placeOf(each, window, 1_000)), [
    { x: 0, width: 50 }, { x: 50, width: 1 }, { x: 850, width: 150 },
  ]);
});

test('engines hear from one change to the next', () => {
  const marks = [[0, 'azure'], [5_000, 'azure → whisper']].map(([at_ms, label]) => ({ kind: 'engine', at_ms, label }));
  assert.deepEqual(engineSpans([marks[0], { kind: 'error', at_ms: 1, label: 'x' }, marks[1]], 9_000), [
    { engine: 'azure', start_ms: 0, end_ms: 5_000 }, { engine: 'whisper', start_ms: 5_000, end_ms: 9_000 },
  ]);
});

test('times on the axis are round', () => {
  assert.deepEqual(ticks({ fromMs: 0, toMs: 10_000 }), [0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  assert.deepEqual(ticks({ fromMs: 61_000, toMs: 400_000 }), [120_000, 180_000, 240_000, 300_000, 360_000]);
});

test('an axis says days where there are several, and else the time of day', () => {
  assert.deepEqual(times([0, 86_400, 172_800].map((s) => s + 43_200)), ['1 Jan', '2 Jan', '3 Jan']);
  const [first, second] = times([0, 3_600]);
  assert.match(first, /^\d\d:\d\d$/);
  assert.notEqual(first, second);
});

test('figures are read as people read them', () => {
  assert.deepEqual([null, 420, 12_345].map(seconds), ['–', '0.42 s', '12.3 s']);
  assert.deepEqual([null, 0, 900, 45_400, 725_000, 12_240_000].map(span), ['–', '0 s', '0.9 s', '45 s', '12 min', '3.4 h']);
  assert.deepEqual([0, 0.0372, 12.5].map(dollars), ['$0.00', '$0.0372', '$12.50']);
  assert.deepEqual([-5, 59_000, 61_000, 3_723_000, 200_000_000].map(age), ['0 s', '59 s', '1 min', '1 h 2 min', '2 d']);
  assert.deepEqual([place(62_590), shortId('s_0123456789abcdef'), shortId('s_01')], ['1:02.5', 's_…abcdef', 's_01']);
});

const HOUR = 3_600_000;

/** @param {Partial<import('../../service/dragoman/web/operations/monitored.d.ts').Monitored>} more */
function monitored(more) {
  const drift = { day: '2026-11-21', since: '2026-10-24', until: '2026-11-20', alpha: 0.01, least: { ks: 0.1, psi: 0.1, n: 100, days: 7 }, findings: [] };
  return { as_of_ms: 0, tenant: null, hours: 24, objectives: [], outcomes: {}, signals: [], drift, alerts: [], budgets: [], ...more };
}

test('means of an hour are those of all its values, wherever they were counted', () => {
  const signal = { signal: 'confidence', title: 'Confidence', unit: '', of: 'utterance', side: /** @type {const} */ ('output'), worse: null };
  const rest = { engine: 'whisper', n: 0, mean: null, p50: null, p95: null };
  const seen = [
    { ...signal, ...rest, locale: 'en-US', hours: /** @type {[number, number, number][]} */ ([[0, 3, 0.9], [2 * HOUR, 1, 0.5]]) },
    { ...signal, ...rest, locale: 'de-DE', hours: /** @type {[number, number, number][]} */ ([[0, 1, 0.5]]) },
  ];
  assert.deepEqual([...meanByHour(seen)], [[0, 0.8], [2 * HOUR, 0.5]]);
  const plot = sureness(monitored({ signals: seen }));
  assert.deepEqual(plot.at, [0, 3_600, 7_200]);
  assert.deepEqual(plot.lines[0].values, [0.8, null, 0.5]);
  assert.match(inWords(plot), /^How sure it is, by the hour: confidence now 0.50, most 0.80; lead of the language not measured yet/);
});

test('an error budget burns by what went wrong and what may', () => {
  const objective = { name: 'a', title: 'A', of: 'sessions', goal: 0.99, within_ms: null, days: 30, good: 0, total: 0, attained: null, budget_left: null, burns: [] };
  const plot = burnRates(monitored({ objectives: [objective], outcomes: { a: [[0, 98, 100], [HOUR, 0, 0]] } }));
  assert.equal(Math.round(100 * (plot.lines[0].values[0] ?? 0)), 200);
  assert.equal(plot.lines[0].values[1], null);
  assert.deepEqual(hoursOf([]), []);
});
