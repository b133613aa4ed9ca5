/** How the run is doing: connection, engine, delay, and where the sound went. */

import { clock } from './captions.js';

/** @import { Captions } from './captions.js' */
/** @import { StreamState } from './events.d.ts' */

/** Sound that waits this long to be safe is worth a word; less is on its way. */
const WAITING_MS = 2_000;

/**
 * @typedef {object} Figures
 * @property {StreamState | {kind: 'ready' | 'starting' | 'finishing' | 'ended' | 'failed'}} state
 * @property {Captions} captions
 * @property {number} unsafeMs sound that the server does not have yet
 * @property {number} droppedMs sound that there was no more room for
 * @property {number} level loudness from 0 to 1
 */

const STATES = {
  ready: 'Ready',
  starting: 'Starting',
  connecting: 'Connecting',
  live: 'Live',
  waiting: 'Reconnecting',
  finishing: 'Finishing',
  ended: 'Ended',
  failed: 'Stopped',
};

export class Status {
  #level = /** @type {HTMLMeterElement} */ (document.getElementById('level'));

  /** @param {Figures} figures */
  show({ state, captions, unsafeMs, droppedMs, level }) {
    this.#write('state', STATES[state.kind], state.kind);
    const inS = state.kind === 'waiting' ? Math.ceil((state.untilMs - Date.now()) / 1000) : 0;
    this.#write('countdown', inS > 0 ? `in ${inS} s` : '');
    this.#level.value = level;

    const { engine } = captions;
    const changes = engine?.changes ? ` (changed ${engine.changes}×)` : '';
    this.#write('engine', engine ? (engine.model ?? engine.name) + changes : '–', changes ? 'odd' : '');

    const { p50Ms, p95Ms } = captions.latency;
    this.#write('delay', p50Ms === null || p95Ms === null ? '–' : `${seconds(p50Ms)} (p95 ${seconds(p95Ms)})`);

    const [sound, kind] = whereSoundWent(captions, unsafeMs, droppedMs, state.kind);
    this.#write('sound', sound, kind);
  }

  /** @param {string} name @param {string} text @param {string} [kind] */
  #write(name, text, kind = '') {
    const part = /** @type {HTMLElement} */ (document.querySelector(`header [data-part="${name}"]`));
    if (part.textContent !== text) part.textContent = text;
    part.dataset.kind = kind;
  }
}

/**
 * Return where the sound went, and how good that is.
 * @param {Captions} captions
 * @param {number} unsafeMs
 * @param {number} droppedMs
 * @param {string} state
 */
function whereSoundWent(captions, unsafeMs, droppedMs, state) {
  const isOver = state === 'ended' || state === 'failed';
  const lostMs = captions.lostMs + droppedMs + (isOver ? unsafeMs : 0);
  const heard = `${clock(captions.heardMs)} heard`;
  if (lostMs > 0) return [`${heard}, ${seconds(lostMs)} lost`, 'bad'];
  if (unsafeMs > WAITING_MS) return [`${heard}, ${seconds(unsafeMs)} kept here`, 'odd'];
  return captions.heardMs ? [`${heard}, nothing lost`, ''] : ['–', ''];
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
