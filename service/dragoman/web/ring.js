/** Audio that was sent and is not safe yet: the client's to keep. Positions are bytes from the stream's beginning. */

const LARGEST_FRAME = 32_768;

export class Ring {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #pieces = [];
  #mostBytes;
  /** Position of the first byte that is kept. */
  start = 0;
  /** Position after the last byte. */
  end = 0;

  /** @param {number} mostBytes */
  constructor(mostBytes) {
    this.#mostBytes = mostBytes;
  }

  /** Whether more may be added. */
  get hasRoom() {
    return this.end - this.start < this.#mostBytes;
  }

  /** Keep the next bytes. @param {Uint8Array<ArrayBuffer>} piece */
  add(piece) {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.end += piece.length;
  }

  /** Drop whole pieces that end at or before a position. @param {number} before */
  forget(before) {
    let dropped = 0;
    for (const piece of this.#pieces) {
      if (this.start + piece.length > before) break;
      this.start += piece.length;
      dropped += 1;
    }
    this.#pieces.splice(0, dropped);
  }

  /**
   * Return the next bytes from a position on, as many as fit into a frame; none at the end.
   * @param {number} position at or after `start`
   */
  read(position) {
    let at = this.start;
    for (const piece of this.#pieces) {
      if (position < at + piece.length) return piece.subarray(position - at, position - at + LARGEST_FRAME);
      at += piece.length;
    }
    return new Uint8Array(0);
  }
}
