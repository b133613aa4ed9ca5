/** What operators are told, again and again: server-sent events, read with a key, which EventSource cannot send. */

import { TroubleError } from '../trouble.js';

/** @import { Snapshot } from './board.d.ts' */

/** A server that says nothing for so long is taken for gone: it speaks every two seconds. */
const SILENT_MS = 15_000;
const PAUSES_MS = [500, 1_000, 2_000, 5_000];

/**
 * @typedef {{kind: 'connecting' | 'live' | 'paused'} | {kind: 'waiting' | 'refused', reason: string}} FeedState
 *
 * @typedef {object} Ears
 * @property {(snapshot: Snapshot) => void} onSnapshot
 * @property {(state: FeedState) => void} onState
 * @property {() => string | undefined} key
 */

/** Cuts a stream of server-sent events into events, wherever it is cut itself. */
export class Events {
  #rest = '';

  /** Return the events that are whole now. @param {string} text @returns {{name: string, data: string}[]} */
  take(text) {
    const blocks = (this.#rest + text).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map(event).filter((each) => each.data !== '');
  }
}

/** @param {string} block */
function event(block) {
  let name = 'message';
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }
  return { name, data: data.join('\n') };
}

/** Follows a server: connects again when it must, and stops when it is told to. */
export class Feed {
  #ears;
  #fetch;
  #url = '';
  /** @type {AbortController | null} */
  #leaving = null;
  #failures = 0;

  /** @param {Ears} ears @param {typeof fetch} [fetcher] */
  constructor(ears, fetcher = fetch.bind(globalThis)) {
    this.#ears = ears;
    this.#fetch = fetcher;
  }

  /** Follow an address, and no other any more. @param {string} url */
  follow(url) {
    this.pause();
    this.#url = url;
    this.#failures = 0;
    const leaving = (this.#leaving = new AbortController());
    void this.#run(leaving);
  }

  /** Follow nothing. */
  pause() {
    this.#leaving?.abort();
    this.#leaving = null;
    this.#ears.onState({ kind: 'paused' });
  }

  /** @param {AbortController} leaving */
  async #run(leaving) {
    while (!leaving.signal.aborted) {
      this.#ears.onState({ kind: 'connecting' });
      let reason = 'the server ended the connection';
      try {
        await this.#listen(leaving);
      } catch (error) {
        if (leaving.signal.aborted) return;
        if (error instanceof TroubleError) {
          this.#ears.onState({ kind: 'refused', reason: error.message });
          return;
        }
        reason = error instanceof Error && error.name === 'Silent' ? error.message : 'the server cannot be reached';
      }
      if (leaving.signal.aborted) return;
      this.#ears.onState({ kind: 'waiting', reason });
      await pause(PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)], leaving.signal);
    }
  }

  /** @param {AbortController} leaving */
  async #listen(leaving) {
    const key = this.#ears.key();
    const headers = key ? { Authorization: `Bearer ${key}` } : undefined;
    const one = new AbortController();
    const leave = () => one.abort();
    leaving.signal.addEventListener('abort', leave);
    let timer = watch(one);
    try {
      const answer = await this.#fetch(this.#url, { headers, signal: one.signal });
      if (!answer.ok || !answer.body) throw await refusal(answer);
      const events = new Events();
      const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await text.read(); !piece.done; piece = await text.read()) {
        clearTimeout(timer);
        timer = watch(one);
        for (const each of events.take(piece.value)) this.#tell(each);
      }
    } catch (error) {
      throw one.signal.reason instanceof Error && one.signal.reason.name === 'Silent' ? one.signal.reason : error;
    } finally {
      clearTimeout(timer);
      leaving.signal.removeEventListener('abort', leave);
      one.abort();
    }
  }

  /** @param {{name: string, data: string}} event */
  #tell({ name, data }) {
    const said = JSON.parse(data);
    if (name === 'snapshot') {
      this.#failures = 0;
      this.#ears.onState({ kind: 'live' });
      this.#ears.onSnapshot(said);
    } else if (name === 'problem') this.#ears.onState({ kind: 'waiting', reason: said.error.message });
  }
}

/** Leave a connection on which nothing comes. @param {AbortController} one */
function watch(one) {
  const silent = Object.assign(new Error('the server does not answer'), { name: 'Silent' });
  return setTimeout(() => one.abort(silent), SILENT_MS);
}

/** Return why the server does not let us in, for good or for now. @param {Response} answer */
async function refusal(answer) {
  const problem = await answer.json().catch(() => null);
  const message = problem?.error?.message ?? `The server answers ${answer.status}.`;
  return answer.status >= 500 ? new Error(message) : new TroubleError(message);
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
