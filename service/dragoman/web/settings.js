/** What the reader wants of a session: languages to expect, how they are told apart, and translations. */

import { fullNameOf, nameOf } from './languages.js';

/** @import { Wishes } from './events.d.ts' */

/** How many languages may be told apart: `dragoman/domain/language.py`. */
const LIMITS = { continuous: 10, 'at-start': 4 };

export class Settings {
  #form;
  #onChange;

  /**
   * @param {HTMLFormElement} form with the fieldsets `languages`, `lid` and `targets`, and an output `summary`
   * @param {(targets: string[]) => void} onChange
   */
  constructor(form, onChange) {
    this.#form = form;
    this.#onChange = onChange;
    form.addEventListener('change', () => this.#tell());
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  /**
   * Offer the languages that the server knows.
   * @param {string[]} locales that can be spoken
   * @param {string[]} targets that can be translated into
   */
  offer(locales, targets) {
    fill(this.#part('languages'), 'language', byName(locales).map((locale) => [locale, fullNameOf(locale)]));
    fill(this.#part('targets'), 'target', byName(targets).map((target) => [target, nameOf(target)]));
    this.#tell();
  }

  /** @returns {Wishes} */
  get wishes() {
    const languages = this.#chosen('language');
    return { languages: languages.length ? languages : undefined, lid: this.#lid, translate: this.#chosen('target') };
  }

  /** @param {boolean} isDisabled */
  set isDisabled(isDisabled) {
    for (const fieldset of this.#form.querySelectorAll('fieldset')) fieldset.disabled = isDisabled;
  }

  get #lid() {
    return /** @type {keyof typeof LIMITS} */ (this.#chosen('lid')[0]);
  }

  #tell() {
    const languages = this.#chosen('language');
    const targets = this.#chosen('target');
    const most = LIMITS[this.#lid];
    for (const box of this.#boxes('language')) box.disabled = !box.checked && languages.length >= most;
    this.#part('hint').textContent =
      languages.length >= most ? `No more than ${most} can be told apart.` : 'Choose none to expect any of them.';
    const spoken = languages.length ? languages.map(nameOf).join(', ') : 'any language';
    const translated = targets.length ? ` → ${targets.map(nameOf).join(', ')}` : ', not translated';
    this.#part('summary').textContent = spoken + translated;
    this.#onChange(targets);
  }

  /** @param {string} name */
  #chosen(name) {
    return this.#boxes(name).filter((box) => box.checked).map((box) => box.value);
  }

  /** @param {string} name */
  #boxes(name) {
    return /** @type {HTMLInputElement[]} */ ([...this.#form.querySelectorAll(`input[name="${name}"]`)]);
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#form.querySelector(`[data-part="${name}"]`));
  }
}

/** @param {string[]} tags */
function byName(tags) {
  return [...tags].sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'en'));
}

/**
 * @param {HTMLElement} list
 * @param {string} name
 * @param {string[][]} choices value and text of each
 */
function fill(list, name, choices) {
  list.replaceChildren(
    ...choices.map(([value, text]) => {
      const label = document.createElement('label');
      const box = Object.assign(document.createElement('input'), { type: 'checkbox', name, value });
      label.className = 'chip';
      label.append(box, text);
      return label;
    }),
  );
}
