/** Figures as people read them. `–` is what is not known. */

import { clock } from '../captions.js';

export const UNKNOWN = '–';

/** Return a delay: `0.42 s`. @param {number | null} ms */
export function seconds(ms) {
  return ms === null ? UNKNOWN : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** Return how long something is: `45 s`, `12 min`, `3.4 h`. @param {number | null} ms */
export function span(ms) {
  if (ms === null) return UNKNOWN;
  const s = ms / 1000;
  if (s < 90) return `${s && s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  return s < 5_400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

/** Return a number with its thousands apart. @param {number} value */
export function count(value) {
  return value.toLocaleString('en');
}

/** Return a share of one: `12.5 %`. @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** Return an amount: small ones to a hundredth of a cent. @param {number} usd */
export function dollars(usd) {
  return `$${usd.toFixed(usd > 0 && usd < 1 ? 4 : 2)}`;
}

/** Return how long ago something was. @param {number} ms */
export function age(ms) {
  if (ms < 60_000) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.floor(ms / 60_000) % 60} min`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** Return a place in a session to a tenth of a second: `1:02.5`. @param {number} ms */
export function place(ms) {
  return `${clock(ms)}.${Math.floor(ms / 100) % 10}`;
}

/** Return the end of an id, which is enough to tell two apart. @param {string} id */
export function shortId(id) {
  return id.length > 12 ? `${id.slice(0, 2)}…${id.slice(-6)}` : id;
}

/** Return a moment of the day. @param {number} unixMs */
export function moment(unixMs) {
  return new Date(unixMs).toLocaleTimeString('en-GB');
}

/** Return times of an axis: of the day, or days where there are several. @param {number[]} unixS */
export function times(unixS) {
  const isLong = unixS[unixS.length - 1] - unixS[0] >= 86_400;
  const day = (/** @type {Date} */ each) => each.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return unixS.map((each) => (isLong ? day(new Date(1000 * each)) : moment(1000 * each).slice(0, 5)));
}

/** Return the latest of values that is known. @param {(number | null)[]} values */
export function latest(values) {
  return values.findLast((each) => each !== null) ?? null;
}
