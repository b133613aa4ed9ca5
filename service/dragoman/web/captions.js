/** What a session has said so far, built from its events: plain values, no page. */

/** @import { Ledger, StreamEvent, TranscriptFinal, TranscriptPartial } from './events.d.ts' */

const LATENCIES_KEPT = 200;
const CLOCK_HZ = 16_000;

/**
 * Text of which the first part stays as it is and the rest may change.
 * @typedef {{stable: string, tail: string}} Draft
 */

/**
 * A translation of a final. `same`: the text is in that language already; `none`: no model serves the pair.
 * @typedef {{state: 'pending' | 'final' | 'failed' | 'same' | 'none', text: string}} Translation
 */

/**
 * What was said between two pauses, as it stays.
 * @typedef {object} Utterance
 * @property {string} id
 * @property {number} startMs
 * @property {number} endMs
 * @property {string} locale
 * @property {string | null} changedFrom the locale before it, if the language changes here
 * @property {string | null} speaker
 * @property {number | null} channel
 * @property {string} text
 * @property {Map<string, Translation>} translations by target, in the order asked for
 */

/**
 * What is being said.
 * @typedef {object} OpenUtterance
 * @property {string} id
 * @property {number} startMs
 * @property {string} locale
 * @property {number | null} channel
 * @property {Draft} draft
 * @property {Map<string, Draft>} translations
 */

/**
 * Something to know, at its place between the utterances.
 * @typedef {{kind: 'note' | 'error', message: string}} Remark
 */

export class Captions {
  /** @type {Utterance[]} */
  utterances = [];
  /** @type {Map<string, OpenUtterance>} */
  open = new Map();
  /** @type {Set<Utterance | Remark>} What is new or has changed; whoever shows it clears it. */
  changed = new Set();
  /** @type {string[]} */
  targets = [];
  /** @type {{name: string, model: string | null, changes: number} | null} */
  engine = null;
  heardMs = 0;
  lostMs = 0;
  /** @type {{reason: string, ledger: Ledger} | null} */
  end = null;
  /** @type {number[]} */
  #latenciesMs = [];
  /** @type {Map<string, Utterance>} */
  #byId = new Map();

  /** Take the next event. @param {StreamEvent} event */
  take(event) {
    switch (event.type) {
      case 'session.started':
        this.targets = event.targets;
        this.engine = { name: event.engine, model: event.model, changes: 0 };
        break;
      case 'audio.ack':
        this.heardMs = Math.max(this.heardMs, (event.accepted_samples / CLOCK_HZ) * 1000);
        break;
      case 'transcript.partial':
        this.#show(event);
        break;
      case 'transcript.final':
        this.#settle(event);
        break;
      case 'transcript.polished':
        this.#change(event.utterance_id, (utterance) => (utterance.text = event.text));
        break;
      case 'translation.partial':
        this.open.get(event.utterance_id)?.translations.set(event.target, draftOf(event.text, event.stable_len));
        break;
      case 'translation.final':
        this.#translate(event.utterance_id, event.target, { state: 'final', text: event.text });
        break;
      case 'translation.failed':
        this.#translate(event.utterance_id, event.target, { state: 'failed', text: '' });
        break;
      case 'engine.changed':
        this.engine = { name: event.engine, model: null, changes: (this.engine?.changes ?? 0) + 1 };
        this.#remark(
          'note',
          `From ${clock(event.at_ms)} on ${event.engine} listens, not ${event.changed_from}: ${event.reason}.`,
        );
        break;
      case 'audio.lost':
        this.lostMs += (event.samples / CLOCK_HZ) * 1000;
        this.#remark(
          'error',
          `From ${clock(event.start_ms)} to ${clock(event.end_ms)} sound was lost: ${event.reason}.`,
        );
        break;
      case 'warning':
        if (event.code === 'recovered') this.open.clear(); // it is heard again, by another name
        this.#remark('note', event.message);
        break;
      case 'error':
        this.#remark('error', event.message);
        break;
      case 'session.ended':
        this.end = { reason: event.reason, ledger: event.ledger };
        this.heardMs = (event.ledger.accepted_samples / CLOCK_HZ) * 1000;
        this.lostMs = ((event.ledger.accepted_samples - event.ledger.final_samples) / CLOCK_HZ) * 1000;
        this.open.clear();
        break;
    }
  }

  /** How long after the end of speech half of the finals, and 95 % of them, came. */
  get latency() {
    const sorted = [...this.#latenciesMs].sort((a, b) => a - b);
    /** @param {number} share */
    const at = (share) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
    return { p50Ms: at(0.5), p95Ms: at(0.95) };
  }

  /** @param {TranscriptPartial} event */
  #show(event) {
    if (this.#byId.has(event.utterance_id)) return;
    if (event.text === '') {
      this.open.delete(event.utterance_id);
      return;
    }
    this.open.set(event.utterance_id, {
      id: event.utterance_id,
      startMs: event.start_ms,
      locale: event.locale,
      channel: event.channel,
      draft: draftOf(event.text, event.stable_len),
      translations: this.open.get(event.utterance_id)?.translations ?? new Map(),
    });
  }

  /** @param {TranscriptFinal} event */
  #settle(event) {
    const drafts = this.open.get(event.utterance_id)?.translations;
    this.open.delete(event.utterance_id);
    const utterance = {
      id: event.utterance_id,
      startMs: event.start_ms,
      endMs: event.end_ms,
      locale: event.locale,
      changedFrom: event.changed_from,
      speaker: event.speaker,
      channel: event.channel,
      text: event.text,
      translations: new Map(this.targets.map((target) => [target, begun(event, target, drafts?.get(target))])),
    };
    this.utterances.push(utterance);
    this.#byId.set(utterance.id, utterance);
    this.changed.add(utterance);
    if (this.engine && event.engine !== this.engine.name) this.engine = { ...this.engine, name: event.engine };
    if (event.latency.since_speech_end_ms !== null) this.#latenciesMs.push(event.latency.since_speech_end_ms);
    if (this.#latenciesMs.length > LATENCIES_KEPT) this.#latenciesMs.shift();
  }

  /** @param {Remark['kind']} kind @param {string} message */
  #remark(kind, message) {
    this.changed.add({ kind, message });
  }

  /** @param {string} id @param {string} target @param {Translation} translation */
  #translate(id, target, translation) {
    this.#change(id, (utterance) => utterance.translations.set(target, translation));
  }

  /** @param {string} id @param {(utterance: Utterance) => void} change */
  #change(id, change) {
    const utterance = this.#byId.get(id);
    if (!utterance) return;
    change(utterance);
    this.changed.add(utterance);
  }
}

/** Return a time of the session as `1:02:03` or `2:03`. @param {number} ms */
export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, '0') : part)).join(':');
}

/**
 * Return what a translation is before its outcome is known.
 * @param {TranscriptFinal} event
 * @param {string} target
 * @param {Draft | undefined} draft
 * @returns {Translation}
 */
function begun(event, target, draft) {
  if (event.translates_to.includes(target)) return { state: 'pending', text: draft ? draft.stable + draft.tail : '' };
  const isSame = base(event.locale) === base(target);
  return isSame ? { state: 'same', text: event.text } : { state: 'none', text: '' };
}

/** @param {string} tag */
function base(tag) {
  return tag.split('-')[0];
}

/**
 * Cut a draft where the server counts: in characters, not in UTF-16 units.
 * @param {string} text
 * @param {number} stableLen
 * @returns {Draft}
 */
function draftOf(text, stableLen) {
  const characters = Array.from(text);
  return { stable: characters.slice(0, stableLen).join(''), tail: characters.slice(stableLen).join('') };
}
