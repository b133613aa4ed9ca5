/**
 * A streaming client for pages and for Node 22: audio in, events out, over connections that may break.
 *
 * What is sent is kept until the server has it on disk, and sent again after a lost connection: docs/protocol.md.
 */

import { Connection, StreamError, addressOf, streamUrl } from './connection.js';
import { Ring } from './ring.js';

export { StreamError };

/** @import { AudioFormat, SessionEnded, StreamEvent, StreamState, Wishes } from './events.d.ts' */
/** @import { Lost } from './connection.js' */

const WIDTHS = { pcm_s16le: 2, pcm_f32le: 4, mulaw: 1, alaw: 1 };
const CLOCK_HZ = 16_000;
const PAUSES_MS = { first: 100, most: 5_000 };

/**
 * @typedef {object} Options
 * @property {string | (() => string | Promise<string>)} [key] a key or token, or what gives one that is good now; every
 *   connection is opened with a ticket that it buys
 * @property {{id: string, token: string}} [session] a session that your own backend began for this client
 * @property {(event: StreamEvent) => void} [onEvent] takes every event, each durable one once and in order
 * @property {(state: StreamState) => void} [onState] takes how the connection stands, whenever that changes
 * @property {number} [keptS] how much audio may be sent and not be safe
 * @property {number} [giveUpS] how long to try without a connection
 * @property {typeof globalThis.WebSocket} [WebSocket] the class to connect with
 */

/** A session on a server. It connects at once; `done` tells how it went. */
export class Stream {
  #url;
  #wishes;
  #options;
  #rateHz;
  #step;
  #ring;
  /** Where in our bytes the session clock began: not at 0 if the session had audio before us. */
  #base = 0;
  /** Bytes that this connection has had, or need not have. */
  #sent = 0;
  /** Bytes that are acknowledged. */
  #safe = 0;
  #lastSeq = 0;
  /** @type {string | undefined} */
  #sessionId;
  /** @type {Connection | undefined} */
  #connection;
  #maySend = false;
  #hasEnded = false;
  #isOver = false;
  #isClosed = false;
  /** @type {number[]} */
  #flushes = [];
  /** @type {(() => void)[]} */
  #waking = [];

  /** Samples (16 kHz) that are safe on the server. */
  acknowledgedSamples = 0;
  /** How often a connection was made. */
  connections = 0;
  /** @type {Promise<SessionEnded | null>} The last event, or `null` after `close`; rejects with a `StreamError`. */
  done;

  /**
   * @param {string | URL} url any address of the server, `http://127.0.0.1:8090`
   * @param {Wishes} [wishes] the fields of `configure`
   * @param {Options} [options]
   */
  constructor(url, wishes = {}, options = {}) {
    /** @type {AudioFormat} */
    const { encoding = 'pcm_s16le', sample_rate_hz = CLOCK_HZ, channels = 1 } = wishes.audio ?? {};
    this.#url = streamUrl(url);
    this.#wishes = wishes;
    this.#options = options;
    this.#rateHz = sample_rate_hz;
    this.#step = WIDTHS[encoding] * channels;
    this.#ring = new Ring((options.keptS ?? 60) * sample_rate_hz * this.#step);
    this.#sessionId = options.session?.id;
    this.done = this.#run();
  }

  /** The session's id, once it has begun. */
  get sessionId() {
    return this.#sessionId;
  }

  /** How much of what was sent is not safe yet, in milliseconds. */
  get unsafeMs() {
    return Math.round(((this.#ring.end - this.#safe) / this.#step / this.#rateHz) * 1000);
  }

  /**
   * Send the next samples. `false` means that nothing was taken, because too much is not safe yet: wait for `room`,
   * or leave them out and say so.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} samples
   */
  send(samples) {
    if (!this.#ring.hasRoom) return false;
    const isView = ArrayBuffer.isView(samples);
    const { buffer, byteOffset, byteLength } = isView ? samples : new Uint8Array(samples);
    this.#ring.add(new Uint8Array(buffer, byteOffset, byteLength).slice());
    this.#pump();
    return true;
  }

  /** Wait until there is room for more, or no need for it. */
  async room() {
    while (!this.#ring.hasRoom && !this.#isClosed) await this.#woken();
  }

  /** Ask for the open utterance to be closed here. */
  flush() {
    this.#flushes.push(this.#ring.end);
    this.#pump();
  }

  /** Send no more; the session ends when all of it is heard. */
  end() {
    this.#isOver = true;
    this.#pump();
  }

  /** Leave at once. The session waits on the server for a while, and then ends with the audio that it has. */
  close() {
    this.#isClosed = true;
    this.#connection?.leave(null);
    this.#wake();
  }

  /** Connect, and connect again, until the session has ended. */
  async #run() {
    const { giveUpS = 60, onState } = this.#options;
    let pauseMs = PAUSES_MS.first;
    let triedMs = performance.now();
    try {
      while (!this.#isClosed) {
        const before = this.connections;
        onState?.({ kind: 'connecting' });
        const outcome = await this.#connect();
        if (outcome === null || 'type' in outcome) return outcome;
        if (this.connections > before) {
          pauseMs = PAUSES_MS.first;
          triedMs = performance.now();
        }
        if (performance.now() - triedMs > giveUpS * 1000)
          throw new StreamError(`No connection to the server for ${giveUpS} s: ${outcome.reason}.`);
        const waitMs = Math.max(outcome.afterMs, pauseMs * (0.5 + Math.random() / 2));
        onState?.({ kind: 'waiting', untilMs: Date.now() + waitMs, reason: outcome.reason });
        const timer = setTimeout(() => this.#wake(), waitMs);
        await this.#woken();
        clearTimeout(timer);
        pauseMs = Math.min(2 * pauseMs, PAUSES_MS.most);
      }
      return null;
    } finally {
      this.#isClosed = true;
      this.#wake();
    }
  }

  /** Serve one connection; return the session's last event, or why there must be another one; `null` after `close`. */
  async #connect() {
    const address = await addressOf(this.#url, await this.#key());
    if (!(address instanceof URL)) return address;
    if (this.#isClosed) return null;
    this.#connection = new Connection(address, this.#options.WebSocket ?? globalThis.WebSocket, {
      onOpen: () => this.#begin(),
      onMessage: (event) => this.#take(event),
      mayRenew: typeof this.#options.key === 'function',
      isWaiting: () => this.#sent > this.#safe || this.#hasEnded,
    });
    try {
      return /** @type {SessionEnded | Lost | null} */ (await this.#connection.over);
    } finally {
      this.#connection = undefined;
      this.#maySend = this.#hasEnded = false;
    }
  }

  /** The key or token to show now. */
  async #key() {
    const { key } = this.#options;
    return typeof key === 'function' ? key() : key;
  }

  /** Show another token before the one that was shown ends. @param {Connection} connection */
  async #renew(connection) {
    const token = await this.#key();
    if (token && connection.isOpen) connection.send({ type: 'token', token });
  }

  /** Begin the session, or resume it; audio then waits until the server says where it goes on. */
  #begin() {
    if (this.#sessionId === undefined) {
      this.#connection?.send({ type: 'configure', ...this.#wishes });
      this.#goOn(0);
      return;
    }
    const { session } = this.#options;
    const known = { session_id: this.#sessionId, after_seq: this.#lastSeq };
    this.#connection?.send({ type: 'resume', ...known, token: session?.token, audio: this.#wishes.audio });
  }

  /** Send from a position on. @param {number} position in bytes */
  #goOn(position) {
    if (position < this.#ring.start) throw new StreamError('The server has lost audio that it had acknowledged.');
    this.#sent = position;
    this.#maySend = true;
    this.connections += 1;
    this.#options.onState?.({ kind: 'live' });
    this.#pump();
  }

  /** Send audio as it comes, flushes at their places, and the end. */
  #pump() {
    const connection = this.#connection;
    while (this.#maySend && connection?.isOpen) {
      const flushAt = this.#flushes[0] ?? Infinity;
      const data = this.#ring.read(this.#sent).subarray(0, flushAt - this.#sent);
      if (flushAt <= this.#sent) {
        this.#flushes.shift();
        connection.send({ type: 'flush' });
      } else if (data.length > 0) {
        connection.send(data);
        this.#sent += data.length;
      } else {
        if (this.#isOver && !this.#hasEnded) connection.send({ type: 'end' });
        this.#hasEnded = this.#isOver;
        return;
      }
    }
  }

  /** Hand on an event that is new. @param {StreamEvent} event */
  #take(event) {
    if (event.type === 'warning' && event.code === 'token_ending' && typeof this.#options.key === 'function')
      this.#renew(/** @type {Connection} */ (this.#connection)).catch(() => {}); // the connection ends, and says why
    if ('seq' in event) {
      if (event.seq <= this.#lastSeq) return;
      this.#lastSeq = event.seq;
      this.#sessionId = event.session_id;
    }
    if (event.type === 'audio.ack') {
      const position = this.#settle(event.accepted_samples);
      if (!this.#maySend) this.#goOn(position);
    }
    if (event.type === 'session.ended') this.#settle(event.ledger.accepted_samples);
    this.#options.onEvent?.(event);
    if (event.type === 'session.ended') this.#connection?.leave(event);
  }

  /** Forget what is safe; return where that ends, in bytes. @param {number} samples of the session clock */
  #settle(samples) {
    const clock = Math.round((samples * this.#rateHz) / CLOCK_HZ) * this.#step;
    if (this.connections === 0) this.#base = clock;
    const position = clock - this.#base;
    this.acknowledgedSamples = Math.max(this.acknowledgedSamples, samples);
    this.#safe = Math.max(this.#safe, position);
    this.#ring.forget(position);
    this.#wake();
    return position;
  }

  /** @returns {Promise<void>} */
  #woken() {
    return new Promise((wake) => this.#waking.push(wake));
  }

  #wake() {
    for (const wake of this.#waking.splice(0)) wake();
  }
}
