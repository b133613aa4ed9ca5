/** Mixes the channels of its input and posts frames of 100 ms, PCM16; after any message the rest, and then `null`. */

const FRAME = Math.round(sampleRate / 10);

class Framer extends AudioWorkletProcessor {
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #isOver = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#isOver = true;
      const rest = this.#frame.slice(0, this.#filled);
      this.port.postMessage(rest.buffer, [rest.buffer]);
      this.port.postMessage(null);
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    for (let at = 0; at < (channels[0]?.length ?? 0) && !this.#isOver; at += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[at];
      const sample = Math.round((sum / channels.length) * 32_768);
      this.#frame[this.#filled] = Math.max(-32_768, Math.min(32_767, sample));
      this.#filled += 1;
      if (this.#filled === FRAME) {
        this.port.postMessage(this.#frame.buffer, [this.#frame.buffer]);
        this.#frame = new Int16Array(FRAME);
        this.#filled = 0;
      }
    }
    return !this.#isOver;
  }
}

registerProcessor('framer', Framer);
