/** One session: its timeline, the same as a table, and what is chosen of it. */

import { clock } from '../captions.js';
import { nameOf } from '../languages.js';
import { explained } from '../trouble.js';
import { ask } from './api.js';
import { drawn, sample } from './drawing.js';
import { age, place, seconds, span, UNKNOWN } from './figures.js';
import { marksWithin, moved, whole, within, zoomed } from './layout.js';
import { language, made, part, table, tones } from './made.js';
import { Utterance } from './utterance.js';

/** @import { Feedback, Interval, Session, Timeline, Transcript } from './board.d.ts' */
/** @import { Window } from './layout.js' */

const MOST_ROWS = 100;

export class SessionView {
  #id = '';
  /** @type {Timeline | null} */
  #timeline = null;
  /** @type {Window} */
  #window = { fromMs: 0, toMs: 1 };
  /** @type {Interval | null} */
  #chosen = null;
  #picture = part('picture');
  #isMore = false;
  #knownFinals = 0;
  #utterance = new Utterance(part('chosen'));

  constructor() {
    const steps = { 'zoom-in': 0.5, 'zoom-out': 2 };
    for (const [id, times] of Object.entries(steps))
      part(id).addEventListener('click', () => this.#look((one, endMs) => zoomed(one, times, endMs)));
    for (const [id, share] of Object.entries({ earlier: -0.5, later: 0.5 }))
      part(id).addEventListener('click', () => this.#look((one, endMs) => moved(one, share, endMs)));
    part('zoom-all').addEventListener('click', () => this.#timeline && this.#look(() => whole(/** @type {Timeline} */ (this.#timeline))));
    part('again').addEventListener('click', () => void this.#load());
    part('more').addEventListener('click', () => {
      this.#isMore = true;
      this.#show();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#picture);
  }

  /** Show a session, from its beginning. @param {string} id */
  async open(id) {
    this.#id = id;
    this.#timeline = null;
    this.#chosen = null;
    this.#isMore = false;
    part('session-title').textContent = `Session ${id}`;
    part('facts').replaceChildren();
    part('intervals').replaceChildren(made('p', 'hint', 'Loading …'));
    this.#picture.replaceChildren();
    part('fresh').textContent = part('said').textContent = '';
    part('session-problem').textContent = '';
    part('key-to-colours').replaceChildren();
    this.#utterance.clear();
    await this.#load();
  }

  /** Say that a session that is shown has gone on. @param {Session[]} sessions */
  heard(sessions) {
    const now = sessions.find(({ session_id: id }) => id === this.#id);
    if (!now || !this.#timeline) return;
    const more = now.finals - this.#knownFinals;
    const ended = this.#timeline.is_open && !now.is_open;
    const news = ended ? 'It has ended.' : more > 0 ? `${more} more ${more > 1 ? 'utterances' : 'utterance'} by now.` : '';
    if (part('fresh').textContent !== news) part('fresh').textContent = news;
  }

  async #load() {
    const id = this.#id;
    try {
      /** @type {Timeline} */
      const timeline = await ask(`v1/operations/sessions/${id}`);
      if (id !== this.#id) return;
      const before = this.#timeline;
      this.#timeline = timeline;
      const was = this.#chosen;
      this.#chosen = timeline.intervals.find((each) => each.start_ms === was?.start_ms && each.kind === was.kind) ?? null;
      const wasWhole = !before || (this.#window.fromMs === 0 && this.#window.toMs >= before.end_ms);
      if (wasWhole) this.#window = whole(timeline);
      this.#knownFinals = timeline.intervals.filter(({ kind }) => kind === 'speech').length;
      part('fresh').textContent = '';
      part('again').hidden = !timeline.is_open;
      part('session-problem').textContent = '';
      await this.#read(timeline);
      this.#show();
    } catch (error) {
      part('intervals').replaceChildren();
      part('session-problem').textContent = explained(error);
    }
  }

  /** Read the words, if we may. @param {Timeline} timeline */
  async #read({ is_readable: isReadable }) {
    if (!isReadable) {
      this.#utterance.refuse('What was said is its tenant’s to read.');
      return;
    }
    try {
      /** @type {[Transcript, {feedback: Feedback[]}]} */
      const [transcript, { feedback }] = await Promise.all([
        ask(`v1/transcripts/${this.#id}`),
        ask(`v1/sessions/${this.#id}/feedback`),
      ]);
      this.#utterance.read(this.#id, transcript, feedback);
    } catch (error) {
      this.#utterance.refuse(`What was said cannot be shown: ${explained(error)}`);
    }
  }

  /** @param {(window: Window, endMs: number) => Window} change */
  #look(change) {
    if (!this.#timeline) return;
    this.#window = change(this.#window, this.#timeline.end_ms);
    this.#show();
  }

  #show() {
    const timeline = this.#timeline;
    if (!timeline) return;
    this.#facts(timeline);
    this.#legend(timeline);
    this.#draw();
    this.#list(timeline);
    this.#utterance.session();
  }

  #draw() {
    if (!this.#timeline || !this.#picture.clientWidth) return;
    const choose = (/** @type {Interval} */ interval) => this.#choose(interval);
    const width = this.#picture.clientWidth;
    this.#picture.replaceChildren(drawn(this.#timeline, this.#window, width, choose, this.#chosen));
    const { fromMs, toMs } = this.#window;
    part('window').textContent = `${clock(fromMs)} to ${clock(toMs)}`;
    const isAll = fromMs === 0 && toMs >= this.#timeline.end_ms;
    for (const id of ['zoom-out', 'zoom-all', 'earlier', 'later']) part(id).toggleAttribute('disabled', isAll);
  }

  /** @param {Timeline} timeline */
  #facts(timeline) {
    const facts = [
      ['Tenant', timeline.tenant],
      ['Begun', `${age(Date.now() - timeline.created_ms)} ago`],
      ['State', timeline.is_open ? 'goes on' : 'has ended'],
      ['Heard', span(timeline.settled_ms)],
      ['Lost', span(timeline.lost_ms)],
      ['Discarded', span(timeline.discarded_ms)],
    ];
    part('facts').replaceChildren(
      ...facts.map(([name, value]) => {
        const pair = made('div');
        pair.append(made('dt', '', name), made('dd', '', value));
        return pair;
      }),
    );
  }

  /** @param {Timeline} timeline */
  #legend({ intervals }) {
    const locales = [...new Set(intervals.flatMap(({ locale }) => (locale ? [locale] : [])))];
    const entries = locales.map((locale) => [tones.of(locale), tones.of(locale), nameOf(locale)]);
    for (const kind of ['no speech', 'lost', 'discarded'])
      if (intervals.some((each) => each.kind === kind)) entries.push([kind.replace(' ', '-'), kind.replace(' ', '-'), kind]);
    const items = entries.map(([className, pattern, name]) => {
      const item = made('li');
      item.append(sample(className, pattern), name);
      return item;
    });
    items.push(made('li', 'hint', 'L language · E engine · ! warning · × error'));
    part('key-to-colours').replaceChildren(...items);
  }

  /** @param {Timeline} timeline */
  #list(timeline) {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    const found = within(timeline.intervals, this.#window);
    const shown = this.#isMore ? found : found.slice(0, MOST_ROWS);
    const rows = shown.map((each) => [
      this.#button(each),
      this.#kind(each),
      place(each.end_ms),
      span(each.end_ms - each.start_ms),
      each.engine ?? UNKNOWN,
      seconds(each.since_speech_end_ms),
    ]);
    const marks = marksWithin(timeline.marks, this.#window).map(({ kind, at_ms: atMs, label }) => [place(atMs), kind, label]);
    part('intervals').replaceChildren(
      table('Intervals', ['From', 'What', '#To', '#Length', 'Engine', '#Delay of final'], rows, 'Nothing is settled yet.'),
    );
    part('more').hidden = shown.length === found.length;
    part('more').textContent = `Show all ${found.length} intervals`;
    part('marks').replaceChildren(table('What happened', ['At', 'Kind', 'What'], marks, 'Nothing happened here.'));
    if (focused) /** @type {HTMLElement | null} */ (part('intervals').querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {Interval} interval */
  #button(interval) {
    const button = made('button', 'at', place(interval.start_ms));
    button.type = 'button';
    button.dataset.key = String(interval.start_ms);
    button.ariaPressed = String(interval === this.#chosen);
    button.ariaLabel = `Show ${nameOfInterval(interval)}`;
    button.addEventListener('click', () => this.#choose(interval));
    return button;
  }

  /** @param {Interval} interval */
  #kind({ kind, locale, reason }) {
    if (locale) return language(locale);
    const shown = made('span', 'language', kind + (reason ? `: ${reason}` : ''));
    if (kind === 'lost') shown.dataset.kind = 'bad';
    return shown;
  }

  /** @param {Interval} interval */
  #choose(interval) {
    this.#chosen = interval;
    this.#show();
    this.#utterance.choose(interval);
    part('said').textContent = `Shown: ${nameOfInterval(interval)}.`;
  }
}

/** @param {Interval} interval */
function nameOfInterval({ start_ms: startMs, locale, kind }) {
  return `${place(startMs)}, ${locale ? nameOf(locale) : kind}`;
}
