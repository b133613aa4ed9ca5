/** Languages as people call them. */

const NAMES = new Intl.DisplayNames('en', { type: 'language', languageDisplay: 'standard' });
const MOST_LISTED = 12;
const TONES = 6;

/** Return the name of the language of a tag, without its region: `de-DE` is "German". @param {string} tag */
export function nameOf(tag) {
  return NAMES.of(codeOf(tag)) ?? tag;
}

/** Return the name with its region: `de-DE` is "German (Germany)". @param {string} tag */
export function fullNameOf(tag) {
  return NAMES.of(tag) ?? tag;
}

/** Return the language subtag: `de-DE` is "de". @param {string} tag */
export function codeOf(tag) {
  return tag.split('-')[0];
}

/** Return names as a sentence has them, the first dozen of them. @param {string[]} names */
export function listed(names) {
  const more = names.length > MOST_LISTED ? [`${names.length - MOST_LISTED} more`] : [];
  return new Intl.ListFormat('en').format([...names.slice(0, MOST_LISTED), ...more]);
}

/** Gives every language of a page its tone, in the order in which they turn up. */
export class Tones {
  /** @type {string[]} */
  #codes = [];

  /** @param {string} tag */
  of(tag) {
    const code = codeOf(tag);
    if (!this.#codes.includes(code)) this.#codes.push(code);
    return `tone-${this.#codes.indexOf(code) % TONES}`;
  }
}
