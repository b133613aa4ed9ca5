/** Live sound, from a microphone or a tab, as frames of PCM16. */

import { TroubleError } from './trouble.js';

export const RATE_HZ = 16_000;

/** Sound as it is: what cleans speech for people's ears takes away what recognition hears. */
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** @typedef {(pcm: ArrayBuffer) => void} OnFrame */

/**
 * Return the sound of a microphone; the browser asks for permission.
 * @param {string} deviceId empty for the usual one
 */
export async function openMicrophone(deviceId) {
  if (!navigator.mediaDevices)
    throw new TroubleError('Browsers lend the microphone to safe pages only. Open this one by https, or as localhost.');
  const which = deviceId ? { deviceId: { exact: deviceId } } : {};
  return navigator.mediaDevices.getUserMedia({ audio: { ...AS_IT_IS, ...which } });
}

/** Return the sound of a tab, which the browser lets the user choose. */
export async function openTab() {
  if (!navigator.mediaDevices?.getDisplayMedia)
    throw new TroubleError('This browser cannot share the sound of a tab. Use one on a computer, or the microphone.');
  const shared = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: AS_IT_IS });
  for (const track of shared.getVideoTracks()) track.stop();
  if (shared.getAudioTracks().length > 0) return new MediaStream(shared.getAudioTracks());
  throw new TroubleError('The tab was shared without its sound. Start again and switch on “Also share tab audio”.');
}

/** Return the microphones; they have names once one was allowed. */
export async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === 'audioinput' && device.deviceId && device.label);
}

/** One run of live sound; several sources may take turns in it. */
export class Capture {
  #context;
  #framer;
  /** @type {MediaStreamAudioSourceNode | undefined} */
  #source;
  #onGone;

  /**
   * Begin to hear.
   * @param {MediaStream} sound
   * @param {() => void} onGone called when the sound ends by itself: unplugged, or no longer shared
   */
  static async begin(sound, onGone) {
    const [context, source] = connectable(sound);
    await context.audioWorklet.addModule(new URL('./capture-worklet.js', import.meta.url));
    await context.resume();
    return new Capture(context, source, onGone);
  }

  /**
   * @param {AudioContext} context
   * @param {MediaStreamAudioSourceNode} source
   * @param {() => void} onGone
   */
  constructor(context, source, onGone) {
    this.#context = context;
    this.#onGone = onGone;
    this.#framer = new AudioWorkletNode(context, 'framer');
    this.#framer.connect(context.destination); // silent, but what leads nowhere is not run in every browser
    this.#listenTo(source);
  }

  /** Samples per second in the frames: 16 kHz, or the microphone's own where the browser does not convert. */
  get rateHz() {
    return this.#context.sampleRate;
  }

  /** Which microphone it is, if it is one. */
  get deviceId() {
    return this.#source?.mediaStream.getAudioTracks()[0]?.getSettings().deviceId;
  }

  /** Hand on frames; those from before are not forgotten. @param {OnFrame} onFrame */
  deliver(onFrame) {
    this.#framer.port.onmessage = ({ data }) => data && onFrame(data);
  }

  /** Hear something else from now on. @param {MediaStream} sound */
  replace(sound) {
    this.#listenTo(this.#context.createMediaStreamSource(sound));
  }

  /** Stop; the last frame is delivered before this returns. */
  async stop() {
    const deliver = this.#framer.port.onmessage;
    const isDone = new Promise((resolve) => {
      this.#framer.port.onmessage = (message) =>
        message.data === null ? resolve(null) : deliver?.call(this.#framer.port, message);
      setTimeout(resolve, 500, null); // a context that sleeps answers nobody
    });
    this.#framer.port.postMessage('stop');
    await isDone;
    this.#release();
    await this.#context.close();
  }

  /** @param {MediaStreamAudioSourceNode} source */
  #listenTo(source) {
    this.#release();
    this.#source = source;
    source.connect(this.#framer);
    for (const track of source.mediaStream.getTracks()) track.onended = this.#onGone;
  }

  #release() {
    this.#source?.disconnect();
    for (const track of this.#source?.mediaStream.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
  }
}

/**
 * Return a context and a source in it, at 16 kHz if the browser can convert. Firefox cannot (bug 1674892).
 * @param {MediaStream} sound
 * @returns {[AudioContext, MediaStreamAudioSourceNode]}
 */
function connectable(sound) {
  const wanted = new AudioContext({ sampleRate: RATE_HZ });
  try {
    return [wanted, wanted.createMediaStreamSource(sound)];
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error;
    void wanted.close();
    const own = new AudioContext();
    return [own, own.createMediaStreamSource(sound)];
  }
}

/** Return how loud a frame is, from 0 (silent, or -60 dB) to 1 (as loud as can be). @param {Int16Array} pcm */
export function levelOf(pcm) {
  let squares = 0;
  for (const sample of pcm) squares += sample * sample;
  const decibels = 20 * Math.log10(Math.sqrt(squares / pcm.length) / 32_768);
  return Math.max(0, Math.min(1, 1 + decibels / 60)) || 0;
}
