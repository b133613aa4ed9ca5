/** Shows captions: finals stay where they are, what is still being said comes last. Text goes in as text only. */

import { clock } from './captions.js';
import { Tones, codeOf, nameOf } from './languages.js';

/** @import { Captions, Draft, OpenUtterance, Translation, Utterance } from './captions.js' */

/** What a translation says that has no text. */
const WITHOUT_TEXT = { pending: '…', final: '', failed: 'could not be translated', same: '', none: 'no translation' };

export class View {
  #columns = part('columns');
  #finals = part('finals');
  #open = part('open');
  #end = part('end');
  #empty = part('empty');
  #jump = part('jump');
  #tones = new Tones();
  #isFollowing = true;
  #scrolledTo = 0;
  #isLive = false;
  /**
   * The cells of every row: the text under '', translations by target.
   * @type {Map<string, Map<string, HTMLElement>>}
   */
  #cells = new Map();

  constructor() {
    addEventListener('scroll', () => this.#lookWhere(), { passive: true });
    addEventListener('resize', () => this.#isLive && this.#follow());
    this.#jump.addEventListener('click', () => {
      this.#isFollowing = true;
      this.#follow();
    });
  }

  /** Begin anew. @param {string[]} targets */
  clear(targets) {
    this.#cells.clear();
    this.#finals.replaceChildren();
    this.#open.replaceChildren();
    this.#empty.hidden = false;
    this.#isFollowing = true;
    this.arrange(targets);
  }

  /** Make a column for the text and for each translation. @param {string[]} targets */
  arrange(targets) {
    document.documentElement.style.setProperty('--targets', String(targets.length));
    part('captions').classList.toggle('translated', targets.length > 0);
    const heads = ['Spoken', ...targets.map(nameOf)].map((name) => made('span', '', name));
    this.#columns.replaceChildren(made('span'), made('span'), ...heads);
  }

  /** Show what is new. @param {Captions} captions @param {boolean} isLive whether more will come */
  show(captions, isLive) {
    for (const each of captions.changed) {
      if ('message' in each) this.#finals.append(made('p', each.kind, each.message));
      else this.#settle(each, captions.targets);
    }
    captions.changed.clear();
    this.#open.replaceChildren(...[...captions.open.values()].map((open) => this.#drafted(open, captions.targets)));
    this.#empty.hidden = this.#finals.childElementCount > 0 || captions.open.size > 0;
    part('invitation').hidden = isLive;
    part('listening').hidden = !isLive;
    this.#isLive = isLive;
    this.#follow();
  }

  /** @param {Utterance} utterance @param {string[]} targets */
  #settle(utterance, targets) {
    let cells = this.#cells.get(utterance.id);
    if (!cells) {
      if (utterance.changedFrom) this.#finals.append(divider(utterance.locale));
      const { row, said } = this.#row(utterance);
      cells = new Map([['', said]]);
      for (const target of targets) cells.set(target, row.appendChild(made('p', 'translation')));
      this.#cells.set(utterance.id, cells);
      this.#finals.append(row);
    }
    const said = cells.get('');
    if (said && said.textContent !== utterance.text) said.textContent = utterance.text;
    for (const [target, translation] of utterance.translations) fill(cells.get(target), target, translation);
  }

  /** @param {OpenUtterance} open @param {string[]} targets */
  #drafted(open, targets) {
    const { row, said } = this.#row(open);
    said.append(...drafted(open.draft));
    for (const target of targets) {
      const draft = open.translations.get(target);
      const cell = row.appendChild(made('p', 'translation'));
      cell.lang = target;
      if (draft) cell.append(made('span', 'label', nameOf(target)), ...drafted(draft));
    }
    return row;
  }

  /** @param {{startMs: number, locale: string, channel: number | null, speaker?: string | null}} utterance */
  #row({ startMs, locale, channel, speaker }) {
    const row = made('div', `row ${this.#tones.of(locale)}`);
    const when = made('div', 'when');
    when.append(hidden(made('span', '', clock(startMs))));
    const badge = made('div', 'badge');
    badge.append(hidden(made('span', '', codeOf(locale).toUpperCase())), made('span', 'unseen', nameOf(locale)));
    badge.title = nameOf(locale);
    const said = made('p', 'said');
    said.lang = locale;
    said.dir = 'auto';
    row.append(when, badge, said);
    if (speaker) when.append(made('span', 'who', `Speaker ${speaker}`));
    if (channel !== null) when.append(made('span', 'who', `Channel ${channel + 1}`));
    return { row, said };
  }

  #follow() {
    if (this.#isFollowing) this.#end.scrollIntoView({ block: 'nearest' });
    this.#scrolledTo = scrollY; // also where less text than before leaves the page
    this.#jump.hidden = this.#isFollowing || !this.#isLive;
  }

  /** The reader who scrolls up wants to stay there, until the end is reached again. */
  #lookWhere() {
    const wentUp = scrollY < this.#scrolledTo;
    this.#scrolledTo = scrollY;
    const isEnd = this.#end.getBoundingClientRect().top <= innerHeight;
    this.#isFollowing = !wentUp && (this.#isFollowing || isEnd);
    this.#jump.hidden = this.#isFollowing || !this.#isLive;
  }
}

/** @param {string} locale */
function divider(locale) {
  const line = made('p', 'switch');
  line.append(made('span', '', `${nameOf(locale)} from here`));
  return line;
}

/**
 * Show how a translation stands. Until it is final nobody is told: assistive technology reads what is added later.
 * @param {HTMLElement | undefined} cell
 * @param {string} target
 * @param {Translation} translation
 */
function fill(cell, target, { state, text }) {
  if (!cell || cell.dataset.state === state) return;
  cell.dataset.state = state;
  const hasText = text !== '';
  const shown = made('span', '', hasText ? text : WITHOUT_TEXT[state]);
  shown.dir = 'auto';
  if (hasText) shown.lang = target;
  if (state !== 'final') shown.className = 'aside';
  const label = made('span', 'label', nameOf(target));
  // What repeats the text, or may still change, is for the eyes only.
  if (['pending', 'same', 'none'].includes(state)) [label, shown].forEach(hidden);
  cell.replaceChildren(label, shown);
}

/** @param {Draft} draft */
function drafted({ stable, tail }) {
  return [made('span', 'stable', stable), made('span', 'tail', tail)];
}

/** Keep an element from assistive technology; return it. @param {HTMLElement} element */
function hidden(element) {
  element.setAttribute('aria-hidden', 'true');
  return element;
}

/** @param {string} tag @param {string} [className] @param {string} [text] */
function made(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** @param {string} id */
function part(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
