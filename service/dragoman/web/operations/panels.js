/** The panels of the board, one function per panel: from what operators are told to elements. */

import { language, made, table, tones } from './made.js';
import { age, count, dollars, percent, seconds, shortId, span, UNKNOWN } from './figures.js';
import { nameOf } from '../languages.js';

/** @import { Ledger, Session, Snapshot } from './board.d.ts' */

const HZ = 16_000;

/** @typedef {{id: string, title: string, show: (snapshot: Snapshot) => (Node | string)[]}} Panel */

/** What stands below the plots, in this order. A further panel is a further entry. @type {Panel[]} */
export const PANELS = [
  { id: 'ledger', title: 'Where the audio went', show: ledger },
  { id: 'languages', title: 'Languages', show: languages },
  { id: 'engines', title: 'Engines', show: engines },
  { id: 'trouble', title: 'Errors and warnings', show: trouble },
  { id: 'costs', title: 'Cost by tenant', show: costs },
  { id: 'feedback', title: 'What people say of it', show: feedback },
  { id: 'servers', title: 'Servers and jobs', show: servers },
];

/** The figures at the top: names, values, and how good they are. @param {Snapshot} snapshot */
export function tiles(snapshot) {
  const sums = total(snapshot.ledger);
  const errors = snapshot.codes.filter(({ severity }) => severity === 'error');
  const wrong = errors.reduce((sum, { number }) => sum + number, 0);
  const usd = snapshot.costs.tenants.reduce((sum, each) => sum + each.usd, 0);
  const { p50_ms: p50Ms, p95_ms: p95Ms } = snapshot.latency;
  const resting = Object.values(snapshot.engines.health).flat().filter(({ state }) => state !== 'closed').length;
  return [
    { name: 'Open sessions', value: count(snapshot.counted.open), kind: '' },
    { name: 'Waiting', value: span((1000 * sums.waiting) / HZ), kind: '' },
    { name: 'Delay of finals', value: seconds(p50Ms), more: `p95 ${seconds(p95Ms)}`, kind: '' },
    { name: 'Audio accepted', value: span((1000 * sums.accepted) / HZ), more: `${count(sums.sessions)} sessions`, kind: '' },
    { name: 'Audio lost', value: span((1000 * sums.lost) / HZ), kind: sums.lost ? 'bad' : 'good' },
    { name: 'Errors', value: count(wrong), kind: wrong ? 'bad' : 'good' },
    { name: 'Engines', value: resting ? `${resting} resting` : 'all well', kind: resting ? 'odd' : 'good' },
    { name: 'Cost at list price', value: dollars(usd), kind: '' },
  ];
}

/**
 * The sessions, open ones first.
 * @param {Snapshot} snapshot
 * @param {boolean} hasTenants whether they may be of several
 */
export function sessions({ sessions: all, at_ms: atMs, counted }, hasTenants) {
  const rows = all.map((each) => [
    link(each),
    ...(hasTenants ? [each.tenant] : []),
    state(each),
    age(atMs - each.created_ms),
    each.lid ?? UNKNOWN,
    each.locale ? language(each.locale) : UNKNOWN,
    (each.engine ?? UNKNOWN) + (each.engine_changes ? ` (changed ${each.engine_changes}×)` : ''),
    span(each.settled_ms),
    each.is_open ? span(each.waiting_ms) : UNKNOWN,
    count(each.finals),
    each.final_p50_ms === null ? UNKNOWN : `${seconds(each.final_p50_ms)} / ${seconds(each.final_p95_ms)}`,
    troubles(each),
  ]);
  const columns = ['Session', ...(hasTenants ? ['Tenant'] : []), 'State', '#Age', 'Mode', 'Language', 'Engine'];
  columns.push('#Heard', '#Waiting', '#Finals', '#Delay p50 / p95', '#Trouble');
  const shown = table('Sessions', columns, rows, 'No session was open in this time. One begins when somebody streams or sends a file.');
  const rest = counted.sessions - all.length;
  return rest > 0 ? [shown, made('p', 'hint', `And ${count(rest)} older sessions.`)] : [shown];
}

/** @param {Snapshot} snapshot */
function ledger({ ledger: tenants, counted }) {
  if (!tenants.length) return [made('p', 'hint', 'No audio yet.')];
  const all = tenants.length > 1 ? [...tenants, { ...total(tenants), tenant: 'All' }] : tenants;
  const rows = all.map((each) => [
    each.tenant,
    count(each.sessions),
    heard(each.accepted),
    heard(each.final),
    heard(each.lost),
    heard(each.discarded),
    heard(each.waiting),
    balance(each),
  ]);
  const columns = ['Tenant', '#Sessions', '#Accepted', '#Final', '#Lost', '#Discarded', '#Waiting', 'Balance'];
  const note = 'Accepted = final + lost + discarded, and what waits to be heard. Counted in samples.';
  return [made('p', 'hint', counted.open ? note : note.replace(', and what waits to be heard', '')), table('The ledger', columns, rows)];
}

/** @param {Ledger} ledger */
function balance({ accepted, final, lost, discarded, waiting }) {
  const off = accepted - final - lost - discarded - waiting;
  return off ? said('bad', `${count(off)} samples off`) : said('good', 'balances');
}

/** @param {Snapshot} snapshot */
function languages({ languages: spoken, translations }) {
  const rows = spoken.map(({ locale, share, speech_ms: ms }) => [language(locale), bar(share, tones.of(locale)), percent(share), span(ms)]);
  const targets = translations.map(({ target, final, failed }) => [
    nameOf(target),
    count(final),
    failed ? said('bad', count(failed)) : '0',
  ]);
  return [
    table('Languages spoken', ['Language', 'Share', '#of speech', '#Time'], rows, 'Nothing was said yet.'),
    ...(targets.length ? [table('Translations', ['Translated into', '#Made', '#Failed'], targets)] : []),
  ];
}

/** @param {Snapshot} snapshot */
function engines({ engines: { health, failovers, speech_ms: spoken } }) {
  const rows = Object.entries(health).flatMap(([work, found]) =>
    found.map(({ name, state: is, failures, rests_s: restsS }, index) => [
      `${work}${found.length > 1 ? `, choice ${index + 1}` : ''}`,
      name,
      { closed: said('good', 'well'), open: said('bad', `rests ${Math.ceil(restsS)} s`), 'half-open': said('odd', 'is being tried') }[is],
      count(failures),
    ]),
  );
  const work = Object.entries(spoken).map(([name, ms]) => `${name} ${span(ms)}`);
  return [
    table('Engines', ['Work', 'Engine', 'Breaker', '#Failures in a row'], rows, 'No engine is loaded yet.'),
    made('p', 'hint', `Changes of engine: ${count(failovers)}. Speech heard: ${work.join(', ') || 'none'}.`),
  ];
}

/** @param {Snapshot} snapshot */
function trouble({ codes, problems }) {
  if (!codes.length) return [made('p', 'hint', 'Nothing went wrong.')];
  const sums = codes.map(({ severity, code, number }) => [code, severe(severity), count(number)]);
  const latest = problems.map((each) => [
    link({ session_id: each.session_id, source: null }),
    severe(each.severity),
    each.code,
    each.message,
  ]);
  const details = made('details');
  details.append(made('summary', '', `The latest ${problems.length}`), table('Latest trouble', ['Session', 'What', 'Code', 'Message'], latest));
  return [table('Trouble by code', ['Code', 'What', '#Times'], sums), details];
}

/** @param {Snapshot} snapshot */
function costs({ costs: { as_of: day, source, tenants } }) {
  const rows = tenants.map((each) => [
    each.tenant,
    span(1000 * each.audio_s),
    count(each.characters),
    count(each.prompt_tokens + each.completion_tokens),
    dollars(each.usd),
  ]);
  const note = `What Azure would charge by the list of ${day}, whichever engine did the work. ${source}.`;
  return [made('p', 'hint', note), table('Costs', ['Tenant', '#Audio', '#Characters', '#Tokens', '#At list price'], rows)];
}

/** @param {Snapshot} snapshot */
function feedback({ feedback: { ratings, mean, corrections } }) {
  const number = Object.values(ratings).reduce((sum, each) => sum + each, 0);
  const words = ['bad', 'poor', 'fair', 'good', 'excellent'];
  const rows = [5, 4, 3, 2, 1].map((points) => {
    const each = ratings[points] ?? 0;
    return [`${points} ${words[points - 1]}`, bar(number ? each / number : 0, ''), count(each)];
  });
  const told = number ? `${count(number)} ratings, ${mean?.toFixed(2)} on average; ` : 'No ratings yet; ';
  const shown = made('p', 'hint', `${told}${count(corrections)} corrections. Open a session to rate and correct it.`);
  return number ? [shown, table('Ratings', ['Rating', 'Share', '#Number'], rows)] : [shown];
}

/** @param {Snapshot} snapshot */
function servers({ replicas, jobs }) {
  const rows = replicas.map(({ holder, sessions: number, is_heard_of: isThere }) => [
    shortId(holder),
    count(number),
    isThere ? said('good', 'heard of') : said('bad', 'not heard of'),
  ]);
  const waiting = Object.entries(jobs).map(([state, number]) => `${count(number)} ${state}`);
  return [
    table('Servers', ['Server', '#Open sessions', 'Lease'], rows, 'One server; with PostgreSQL there may be several.'),
    made('p', 'hint', `Jobs: ${waiting.join(', ') || 'none'}.`),
  ];
}

/** @param {Ledger[]} tenants @returns {Ledger} */
function total(tenants) {
  const sums = { tenant: '', sessions: 0, open: 0, accepted: 0, final: 0, text: 0, lost: 0, discarded: 0, waiting: 0 };
  for (const each of tenants)
    for (const name of /** @type {const} */ (['sessions', 'open', 'accepted', 'final', 'text', 'lost', 'discarded', 'waiting']))
      sums[name] += each[name];
  return sums;
}

/** @param {number} samples */
function heard(samples) {
  const shown = made('span', '', span((1000 * samples) / HZ));
  shown.title = `${count(samples)} samples`;
  return shown;
}

/** @param {number} share @param {string} tone */
export function bar(share, tone) {
  const outer = made('span', `bar ${tone}`);
  const inner = made('span');
  inner.style.width = `${(100 * share).toFixed(1)}%`;
  outer.setAttribute('aria-hidden', 'true');
  outer.append(inner);
  return outer;
}

/** @param {Pick<Session, 'session_id' | 'source'>} session */
function link({ session_id: id, source }) {
  const shown = made('a', '', source || shortId(id));
  shown.href = `#${id}`;
  shown.dataset.key = id;
  shown.title = id;
  return shown;
}

/** @param {Session} session */
function state({ is_open: isOpen, kind, reason }) {
  if (isOpen) return said('live', kind === 'file' ? 'file, running' : 'live');
  return reason === 'failed' ? said('bad', 'failed') : said('', reason ?? 'ended');
}

/** @param {Session} session */
function troubles({ errors, warnings, lost_ms: lostMs }) {
  const told = [];
  if (lostMs) told.push(`${span(lostMs)} lost`);
  if (errors) told.push(`${errors} ${errors > 1 ? 'errors' : 'error'}`);
  if (warnings) told.push(`${warnings} ${warnings > 1 ? 'warnings' : 'warning'}`);
  return told.length ? said(errors || lostMs ? 'bad' : 'odd', told.join(', ')) : 'none';
}

/** @param {'error' | 'warning'} severity */
function severe(severity) {
  return said(severity === 'error' ? 'bad' : 'odd', severity);
}

/** @param {string} kind @param {string} text */
export function said(kind, text) {
  const shown = made('span', 'said', text);
  shown.dataset.kind = kind;
  return shown;
}

/**
 * Put something new into its place, if it is new; who reads or works there stays where they are.
 * @param {HTMLElement} place
 * @param {(Node | string)[]} nodes
 */
export function put(place, nodes) {
  const fresh = made('div');
  fresh.append(...nodes);
  const opened = [...place.querySelectorAll('details')].map(({ open }) => open);
  fresh.querySelectorAll('details').forEach((each, index) => (each.open = opened[index] ?? false));
  if (fresh.innerHTML === place.innerHTML) return;
  const focused = document.activeElement;
  const isHere = focused instanceof HTMLElement && place.contains(focused);
  const path = isHere ? positionOf(focused, place) : null;
  const scrolled = [...place.querySelectorAll('.scroll')].map(({ scrollLeft, scrollTop }) => ({ scrollLeft, scrollTop }));
  place.replaceChildren(...fresh.childNodes);
  [...place.querySelectorAll('.scroll')].forEach((each, index) => Object.assign(each, scrolled[index]));
  if (!path) return;
  const again = path.key
    ? place.querySelector(`[data-key="${CSS.escape(path.key)}"]`)
    : place.querySelectorAll(path.tag)[path.index];
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** @param {HTMLElement} element @param {HTMLElement} place */
function positionOf(element, place) {
  const tag = element.tagName === 'SUMMARY' ? 'summary' : element.tagName.toLowerCase() === 'a' ? 'a' : '.scroll';
  return { key: element.dataset.key, tag, index: [...place.querySelectorAll(tag)].indexOf(element) };
}
