/** What is chosen of a session: its words, its translations, what follows from all of them; rated and corrected here. */

import { nameOf } from '../languages.js';
import { explained } from '../trouble.js';
import { ask } from './api.js';
import { moment, place, seconds } from './figures.js';
import { made, part } from './made.js';

/** @import { Feedback, Interval, Part, Transcript } from './board.d.ts' */

const POINTS = /** @type {const} */ ([
  [1, 'bad'],
  [2, 'poor'],
  [3, 'fair'],
  [4, 'good'],
  [5, 'excellent'],
]);

/** @typedef {{part: Part, target?: string, utterance_id?: string}} About */

export class Utterance {
  #place;
  #sessionId = '';
  /** @type {Transcript | null} */
  #transcript = null;
  /** @type {Feedback[]} */
  #feedback = [];
  #refusal = '';
  #forms = 0;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /** Show nothing. */
  clear() {
    this.#transcript = null;
    this.#feedback = [];
    this.#place.replaceChildren(made('p', 'hint', 'Choose an interval, in the picture or in the table.'));
    part('insight').replaceChildren();
  }

  /** Show no words, and say why. @param {string} why */
  refuse(why) {
    this.#transcript = null;
    this.#refusal = why;
  }

  /** @param {string} sessionId @param {Transcript} transcript @param {Feedback[]} feedback */
  read(sessionId, transcript, feedback) {
    this.#sessionId = sessionId;
    this.#transcript = transcript;
    this.#feedback = feedback;
    this.#refusal = '';
    part('insight').replaceChildren();
  }

  /** Show what follows from the whole session. */
  session() {
    const place = part('insight');
    const insight = this.#transcript?.insight;
    if (!insight || place.childElementCount) return;
    const lists = [
      ['Summary', insight.summary.map(({ text }) => text)],
      ['Topics', insight.topics.map(({ name }) => name)],
      ['To do', insight.action_items.map(({ task, owner }) => (owner ? `${task} (${owner})` : task))],
      ['Open questions', insight.open_questions.map(({ text }) => text)],
    ];
    const shown = lists.filter(([, items]) => items.length).flatMap(([name, items]) => {
      const list = made('ul');
      list.lang = insight.language;
      list.append(.../** @type {string[]} */ (items).map((each) => made('li', '', each)));
      return [made('h4', '', String(name)), list];
    });
    place.append(
      made('h3', '', 'What follows from it'),
      ...shown,
      made('p', 'hint', `By ${insight.engine}.`),
      this.#judged({ part: 'insight' }, insight.summary.map(({ text }) => text).join(' '), insight.language),
    );
  }

  /** Show an interval. @param {Interval} interval */
  choose(interval) {
    const name = interval.locale ? nameOf(interval.locale) : interval.kind;
    const head = made('h3', '', `${place(interval.start_ms)} to ${place(interval.end_ms)}, ${name}`);
    const facts = [interval.engine, interval.speaker && `speaker ${interval.speaker}`, interval.reason];
    if (interval.since_speech_end_ms !== null) facts.push(`final after ${seconds(interval.since_speech_end_ms)}`);
    this.#place.replaceChildren(head, made('p', 'hint', facts.filter(Boolean).join(' · ')), ...this.#words(interval));
    this.#place.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Interval} interval @returns {HTMLElement[]} */
  #words({ utterance_id: id, kind }) {
    if (id === null) {
      const why = { lost: 'No engine could hear this audio.', discarded: 'The session was stopped before this was heard.' };
      return [made('p', '', why[/** @type {'lost'} */ (kind)] ?? 'Nobody spoke here.')];
    }
    const utterance = this.#transcript?.utterances.find((each) => each.utterance_id === id);
    if (!utterance) return [made('p', '', this.#refusal || 'What was said is not known yet; load it again.')];
    const spoken = [
      quoted(utterance.text, utterance.locale),
      ...(utterance.polished ? [made('p', 'hint', 'Read again:'), quoted(utterance.polished, utterance.locale)] : []),
      this.#judged({ part: 'transcript', utterance_id: id }, utterance.text, utterance.locale),
    ];
    const translated = Object.entries(utterance.translations).flatMap(([target, text]) => [
      made('h4', '', nameOf(target)),
      text === null ? made('p', 'failed', 'could not be translated') : quoted(text, target),
      this.#judged({ part: 'translation', target, utterance_id: id }, text ?? '', target),
    ]);
    return [...spoken, ...translated];
  }

  /**
   * What people said of a text, and two forms to say more.
   * @param {About} about
   * @param {string} text
   * @param {string} lang
   */
  #judged(about, text, lang) {
    const place = made('div', 'judged');
    const told = made('ul', 'told');
    const status = made('p', 'status');
    status.role = 'status';
    const name = { transcript: 'the transcript', translation: `the translation into ${nameOf(about.target ?? 'en')}`, insight: 'the insight' }[about.part];
    const list = () => told.replaceChildren(...this.#feedback.filter((each) => isAbout(each, about)).map(line));
    const give = async (/** @type {object} */ said) => {
      try {
        this.#feedback.push(await ask(`v1/sessions/${this.#sessionId}/feedback`, { ...about, ...said }));
        status.textContent = 'Kept. Thank you.';
        status.dataset.kind = 'good';
        list();
      } catch (error) {
        status.textContent = explained(error);
        status.dataset.kind = 'bad';
      }
    };
    list();
    place.append(this.#rating(name, give), this.#correction(name, about.part, text, lang, give), status, told);
    return place;
  }

  /** @param {string} name @param {(said: object) => Promise<void>} give */
  #rating(name, give) {
    const group = made('fieldset', 'points');
    group.append(made('legend', '', `Rate ${name}`));
    for (const [points, word] of POINTS) {
      const button = made('button', '', String(points));
      button.type = 'button';
      button.append(made('span', 'unseen', ` ${word}`));
      button.title = word;
      button.addEventListener('click', () => void give({ kind: 'rating', rating: points }));
      group.append(button);
    }
    group.append(made('span', 'hint', '1 bad to 5 excellent'));
    return group;
  }

  /**
   * @param {string} name
   * @param {Part} about
   * @param {string} text
   * @param {string} lang
   * @param {(said: object) => Promise<void>} give
   */
  #correction(name, about, text, lang, give) {
    const details = made('details');
    const form = made('form', 'correction');
    const id = `correction-${++this.#forms}`;
    const label = made('label', '', 'How it should read');
    label.htmlFor = id;
    const field = Object.assign(made('textarea'), { id, value: text, rows: 3, maxLength: 10_000, lang, dir: 'auto' });
    const remark = Object.assign(made('input'), { id: `${id}-why`, maxLength: 2_000, type: 'text' });
    const why = made('label', '', 'Comment (may be empty)');
    why.htmlFor = remark.id;
    const spoken = Object.assign(made('input'), { id: `${id}-locale`, maxLength: 64, type: 'text', placeholder: lang });
    const language = made('label', '', 'Language that was spoken, if it was another');
    language.htmlFor = spoken.id;
    const send = made('button', 'primary', 'Keep it');
    form.append(label, field, ...(about === 'transcript' ? [language, spoken] : []), why, remark, send);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const said = Object.entries({ comment: remark.value.trim(), locale: spoken.value.trim() }).filter(([, each]) => each);
      void give({ kind: 'correction', text: field.value, ...Object.fromEntries(said) });
    });
    details.append(made('summary', '', `Correct ${name}`), form);
    return details;
  }
}

/** @param {string} text @param {string} lang */
function quoted(text, lang) {
  const quote = made('blockquote', '', text);
  quote.lang = lang;
  quote.dir = 'auto';
  return quote;
}

/** @param {Feedback} feedback @param {About} about */
function isAbout(feedback, about) {
  return (
    feedback.part === about.part &&
    (feedback.target ?? undefined) === about.target &&
    (feedback.utterance_id ?? undefined) === about.utterance_id
  );
}

/** @param {Feedback} feedback */
function line({ kind, rating, text, comment, created_ms: atMs, actor }) {
  const by = `${moment(atMs)}${actor ? ` by ${actor}` : ''}`;
  const what = kind === 'rating' ? `rated ${rating}` : text ? `corrected: ${text}` : 'corrected: nobody said anything';
  return made('li', '', `${by} ${what}${comment ? ` (${comment})` : ''}`);
}
