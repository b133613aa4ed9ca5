/** One run of captions: sound from somewhere, a stream to the server, and what came back. */

import { Capture, levelOf, openMicrophone, openTab } from './capture.js';
import { Captions } from './captions.js';
import { Stream } from './client.js';
import { decode, play } from './recording.js';

/** @import { Figures } from './status.js' */
/** @import { Wishes } from './events.d.ts' */

/** How long to try without a connection. The server may restart; what does not fit in the meantime is counted. */
const GIVE_UP_S = 600;

/**
 * @typedef {{kind: 'microphone', deviceId: string} | {kind: 'tab'}
 *   | {kind: 'file', file: File, isFast: boolean}} Source
 */

export class Run {
  captions = new Captions();
  /** @type {Figures['state']} */
  state = { kind: 'starting' };
  level = 0;
  droppedMs = 0;
  /**
   * Settled when the session has ended; rejects if it could not be brought to its end.
   * @type {Promise<unknown> | undefined}
   */
  done;
  #onChange;
  /** @type {Stream | undefined} */
  #stream;
  /** @type {Capture | undefined} */
  #capture;
  #stopping = new AbortController();

  /** @param {() => void} onChange called whenever there is something new to show */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get sessionId() {
    return this.#stream?.sessionId;
  }

  get unsafeMs() {
    return this.#stream?.unsafeMs ?? 0;
  }

  /** The microphone that is heard. */
  get deviceId() {
    return this.#capture?.deviceId;
  }

  get isStopping() {
    return this.#stopping.signal.aborted;
  }

  /**
   * Begin. Asks for the sound first, while the browser still holds the click for a wish of the user.
   * @param {Source} source
   * @param {Wishes} wishes
   * @param {() => Promise<string | undefined>} getKey
   */
  async start(source, wishes, getKey) {
    if (source.kind === 'file') {
      const pcm = await decode(source.file);
      this.#connect({ ...wishes, source: source.file.name.slice(0, 200) }, await getKey());
      void play(pcm, source.isFast, (frame) => this.#sendAll(frame), this.#stopping.signal).then(() => this.#finish());
      return;
    }
    const sound = source.kind === 'tab' ? await openTab() : await openMicrophone(source.deviceId);
    try {
      const key = await getKey();
      this.#capture = await Capture.begin(sound, () => void this.#finish());
      this.#connect({ ...wishes, source: source.kind, audio: { sample_rate_hz: this.#capture.rateHz } }, key);
    } catch (error) {
      for (const track of sound.getTracks()) track.stop();
      throw error;
    }
    this.#capture.deliver((frame) => this.#sendOrDrop(frame));
  }

  /** Hear another microphone from now on. @param {string} deviceId */
  async switchTo(deviceId) {
    const sound = await openMicrophone(deviceId);
    this.#capture?.replace(sound);
  }

  /** Stop to listen; what was said so far is still brought to its end. The second time, leave at once. */
  async stop() {
    if (this.isStopping) this.#stream?.close();
    await this.#finish();
  }

  async #finish() {
    if (this.isStopping) return;
    this.#stopping.abort();
    await this.#capture?.stop();
    this.level = 0;
    this.#stream?.end();
    if (this.state.kind === 'live') this.#enter({ kind: 'finishing' });
  }

  /** @param {Wishes} wishes @param {string | undefined} key */
  #connect(wishes, key) {
    const stream = new Stream(document.baseURI, wishes, {
      key,
      giveUpS: GIVE_UP_S,
      onEvent: (event) => {
        this.captions.take(event);
        this.#onChange();
      },
      onState: (state) => this.#enter(state.kind === 'live' && this.isStopping ? { kind: 'finishing' } : state),
    });
    this.#stream = stream;
    this.done = stream.done.then(
      (end) => this.#close(end?.reason === 'failed' ? 'failed' : 'ended'),
      async (error) => {
        await this.#close('failed');
        throw error;
      },
    );
  }

  /** @param {'ended' | 'failed'} kind */
  async #close(kind) {
    this.#enter({ kind });
    await this.#finish();
  }

  /** @param {ArrayBuffer} frame */
  #sendOrDrop(frame) {
    this.level = levelOf(new Int16Array(frame));
    const rateHz = this.#capture?.rateHz ?? 1;
    if (!this.#stream?.send(frame)) this.droppedMs += (frame.byteLength / 2 / rateHz) * 1000;
    this.#onChange();
  }

  /** @param {ArrayBuffer} frame */
  async #sendAll(frame) {
    this.level = levelOf(new Int16Array(frame));
    await this.#stream?.room();
    this.#stream?.send(frame);
    this.#onChange();
  }

  /** @param {Figures['state']} state */
  #enter(state) {
    this.state = state;
    this.#onChange();
  }
}
