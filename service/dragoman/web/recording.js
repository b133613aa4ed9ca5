/** A file as sound: decoded by the browser, and played into a stream as it was spoken, or as fast as it is taken. */

import { RATE_HZ } from './capture.js';

const FRAME = RATE_HZ / 10;

/** Return the samples of a file: PCM16, mono, 16 kHz. @param {File} file */
export async function decode(file) {
  const audio = await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  const pcm = new Int16Array(audio.length);
  for (let at = 0; at < pcm.length; at += 1) {
    let sum = 0;
    for (const channel of channels) sum += channel[at];
    pcm[at] = Math.max(-32_768, Math.min(32_767, Math.round((sum / channels.length) * 32_768)));
  }
  return pcm;
}

/**
 * Deliver a recording in frames of 100 ms, to its end or until `signal` is aborted.
 * @param {Int16Array<ArrayBuffer>} pcm
 * @param {boolean} isFast as fast as `deliver` takes it, instead of as it was spoken
 * @param {(pcm: ArrayBuffer) => Promise<void>} deliver
 * @param {AbortSignal} signal
 */
export async function play(pcm, isFast, deliver, signal) {
  const beganMs = performance.now();
  for (let at = 0; at < pcm.length && !signal.aborted; at += FRAME) {
    const aheadMs = (at / RATE_HZ) * 1000 - (performance.now() - beganMs);
    if (!isFast && aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    if (!signal.aborted) await deliver(pcm.slice(at, at + FRAME).buffer);
  }
}
