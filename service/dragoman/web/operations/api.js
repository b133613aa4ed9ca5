/** Asks the server, with the key that is known. */

import { knownKey } from '../key.js';
import { TroubleError } from '../trouble.js';

/**
 * Return the answer to a request; with `said`, something is told.
 * @param {string} path
 * @param {unknown} [said]
 * @returns {Promise<any>}
 */
export async function ask(path, said) {
  const key = knownKey();
  /** @type {Record<string, string>} */
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (said) headers['Content-Type'] = 'application/json';
  const request = { method: said ? 'POST' : 'GET', headers, body: said ? JSON.stringify(said) : undefined };
  const answer = await fetch(new URL(path, document.baseURI), request).catch(() => null);
  if (!answer) throw new TroubleError('The server cannot be reached; try again.');
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new TroubleError(body?.error?.message ?? `The server answers ${answer.status}.`);
  return body;
}
