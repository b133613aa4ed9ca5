/** Elements, made with text only: what comes from a server is never markup. */

import { Tones, codeOf, nameOf } from '../languages.js';

/** One tone per language, the same on the whole page. */
export const tones = new Tones();

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function made(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** @param {string} id */
export function part(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * A table of text, or of elements that were made already; columns that begin with `#` hold numbers.
 * @param {string} caption
 * @param {string[]} columns
 * @param {(string | Node)[][]} rows whose first cell names them
 * @param {string} [empty] what to say of no rows
 */
export function table(caption, columns, rows, empty = 'Nothing yet.') {
  if (!rows.length) return made('p', 'hint', empty);
  const drawn = made('table');
  const isNumber = columns.map((each) => each.startsWith('#'));
  const head = made('tr');
  columns.forEach((each, index) => {
    const cell = made('th', isNumber[index] ? 'number' : '', each.replace('#', ''));
    cell.scope = 'col';
    head.append(cell);
  });
  const body = made('tbody');
  for (const row of rows) {
    const line = made('tr');
    row.forEach((each, index) => {
      const cell = index ? made('td', isNumber[index] ? 'number' : '') : made('th');
      if (!index) cell.setAttribute('scope', 'row');
      cell.append(each);
      line.append(cell);
    });
    body.append(line);
  }
  const header = made('thead');
  header.append(head);
  drawn.append(made('caption', 'unseen', caption), header, body);
  const scroll = made('div', 'scroll');
  scroll.tabIndex = 0;
  scroll.role = 'region';
  scroll.ariaLabel = `${caption} (table)`;
  scroll.append(drawn);
  return scroll;
}

/** Return a language as its badge and its name. @param {string} locale */
export function language(locale) {
  const shown = made('span', 'language');
  shown.append(made('span', `badge ${tones.of(locale)}`, codeOf(locale).toUpperCase()), ` ${nameOf(locale)}`);
  return shown;
}
