/** One connection to a stream: opened with a ticket if there is a key, watched while it lives, left for a reason. */

/** @import { ConnectionClosing, StreamEvent } from './events.d.ts' */

const OPEN_MS = 10_000;
const KEEPALIVE_MS = 5_000;
/** A connection on which an answer is due and nothing comes for so long is taken for lost … */
const SILENT_MS = 10_000;
/** … and before its first message for so long: the server may be loading its model. */
const FIRST_SILENT_MS = 120_000;

/** Why a stream cannot be brought to its end; `code` is the server's, or `stream_failed`. */
export class StreamError extends Error {
  /** @param {string} message @param {string} [code] */
  constructor(message, code = 'stream_failed') {
    super(message);
    this.code = code;
  }
}

/**
 * A connection that is gone; there may be another. `afterMs` is when the server wants to see us again.
 * @typedef {{reason: string, afterMs: number}} Lost
 */

/**
 * @typedef {object} Owner
 * @property {() => void} onOpen
 * @property {(message: StreamEvent) => void} onMessage
 * @property {boolean} mayRenew whether another token can be had for another connection
 * @property {() => boolean} isWaiting whether something was sent that the server has to answer
 */

export class Connection {
  #socket;
  /** @type {(outcome: Lost | StreamEvent | null) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};
  #openedMs = performance.now();
  #heardMs = 0;
  #sentMs = 0;
  #watching;
  /**
   * What it was left with; rejects with a `StreamError` if no other may follow.
   * @type {Promise<Lost | StreamEvent | null>}
   */
  over = new Promise((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  /**
   * @param {URL} url
   * @param {typeof globalThis.WebSocket} WebSocket
   * @param {Owner} owner
   */
  constructor(url, WebSocket, owner) {
    const socket = (this.#socket = new WebSocket(url));
    socket.onopen = () => owner.onOpen();
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data), owner);
    socket.onclose = () => this.#lose(this.#heardMs ? 'the connection broke' : 'the server cannot be reached');
    this.#watching = setInterval(() => this.#watch(owner), 1_000);
  }

  get isOpen() {
    return this.#socket.readyState === 1;
  }

  /** @param {Uint8Array<ArrayBuffer> | {type: string, [field: string]: unknown}} message audio, or anything else */
  send(message) {
    this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
    this.#sentMs = performance.now();
  }

  /** Leave it. @param {StreamEvent | Lost | null} outcome what `over` resolves to */
  leave(outcome) {
    clearInterval(this.#watching);
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#resolve(outcome);
  }

  /** @param {string} reason */
  #lose(reason) {
    this.leave({ reason, afterMs: 0 });
  }

  /** @param {StreamEvent | ConnectionClosing} message @param {Owner} owner */
  #take(message, owner) {
    this.#heardMs = performance.now();
    try {
      if (message.type !== 'connection.closing') owner.onMessage(message);
      else if (message.retryable || (message.code === 'token_ended' && owner.mayRenew)) this.leave({ reason: message.message, afterMs: message.retry_after_ms ?? 0 });
      else throw new StreamError(message.message, message.code);
    } catch (error) {
      this.#reject(error);
      this.leave(null);
    }
  }

  /** @param {Owner} owner */
  #watch(owner) {
    const nowMs = performance.now();
    const isSilent = nowMs - (this.#heardMs || this.#openedMs) > (this.#heardMs ? SILENT_MS : FIRST_SILENT_MS);
    if (this.isOpen ? owner.isWaiting() && isSilent : nowMs - this.#openedMs > OPEN_MS)
      this.#lose('the server does not answer');
    else if (this.isOpen && nowMs - this.#sentMs >= KEEPALIVE_MS) this.send({ type: 'keepalive' });
  }
}

/**
 * Return where to connect to: with a fresh ticket if there is a key.
 * @param {URL} url
 * @param {string | undefined} key
 * @returns {Promise<URL | Lost>}
 */
export async function addressOf(url, key) {
  if (!key) return url;
  let response;
  try {
    response = await fetch(new URL('tickets', url.href.replace(/^ws/, 'http')), {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(OPEN_MS),
    });
  } catch {
    return { reason: 'the server cannot be reached', afterMs: 0 };
  }
  const answer = await response.json().catch(() => null);
  const message = answer?.error?.message ?? `The server answers ${response.status}.`;
  if (response.status === 429 || response.status >= 500)
    return { reason: message, afterMs: 1000 * Number(response.headers.get('Retry-After') ?? 1) };
  if (!response.ok) throw new StreamError(message, answer?.error?.code);
  const ticketed = new URL(url);
  ticketed.searchParams.set('ticket', answer.ticket);
  return ticketed;
}

/** Return the address of the stream on a server that is given by any of its addresses. @param {string | URL} given */
export function streamUrl(given) {
  const url = new URL(given);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!url.pathname.endsWith('/v1/stream')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/stream`;
  url.search = url.hash = '';
  return url;
}
