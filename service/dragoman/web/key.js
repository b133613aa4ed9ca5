/** The API key, if the server wants one: asked for once, kept until the tab is closed. */

import { TroubleError } from './trouble.js';

const KEPT_AS = 'dragoman-key';

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('key'));
const form = /** @type {HTMLFormElement} */ (dialog.querySelector('form'));
const field = /** @type {HTMLInputElement} */ (document.getElementById('key-text'));
const why = /** @type {HTMLElement} */ (dialog.querySelector('[data-part="why"]'));

/** Return the key that is known, if there is one. */
export function knownKey() {
  return sessionStorage.getItem(KEPT_AS) ?? undefined;
}

/**
 * Return a key that the server takes, asking for it if need be; nothing if it wants none.
 * @param {string} [door] what the key is for; by default a ticket for a stream
 * @param {string} [without] what to tell who has none
 */
export async function getKey(door, without = 'Without a key there are no captions. Start again to enter it.') {
  for (let key = knownKey(); ; key = await ask(without)) {
    const refusal = await refused(key, door);
    if (refusal === null) return key;
    sessionStorage.removeItem(KEPT_AS);
    why.textContent = key ? refusal : 'This server is for people who have a key.';
  }
}

/** Return why a key is refused, or `null`. @param {string | undefined} key @param {string | undefined} door */
async function refused(key, door) {
  const headers = key ? { Authorization: `Bearer ${key}` } : undefined;
  const request = { method: door ? 'GET' : 'POST', headers };
  const answer = await fetch(new URL(door ?? 'v1/tickets', document.baseURI), request).catch(() => null);
  if (!answer || answer.ok || answer.status >= 500) return null; // without an answer, the stream says more
  const problem = await answer.json().catch(() => null);
  const message = problem?.error?.message ?? `The server answers ${answer.status}.`;
  if (answer.status !== 401) throw new TroubleError(message);
  return message;
}

/** @param {string} without @returns {Promise<string>} */
function ask(without) {
  field.value = '';
  dialog.showModal();
  return new Promise((resolve, reject) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEPT_AS, field.value.trim());
      resolve(field.value.trim());
      dialog.close();
    };
    dialog.onclose = () => reject(new TroubleError(without));
  });
}

dialog.querySelector('[data-part="cancel"]')?.addEventListener('click', () => dialog.close());
