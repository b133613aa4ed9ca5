/** What went wrong, in words that say what to do. */

/** Something that the reader of the page can put right; its message says how. */
export class TroubleError extends Error {}

/** What browsers call it when sound cannot be had. */
const CURES = new Map([
  [
    'NotAllowedError',
    'The browser may not listen. Allow the microphone for this page, by the sign beside its address, ' +
      'and start again; or caption a file.',
  ],
  ['NotFoundError', 'No microphone was found. Plug one in and start again; or caption a file.'],
  ['NotReadableError', 'The microphone does not answer. Close the program that uses it, and start again.'],
  ['OverconstrainedError', 'This microphone is gone. Choose another one and start again.'],
  ['EncodingError', 'The browser cannot read sound in this file. Choose another one, or post it to /v1/transcripts.'],
]);

/** What to do about codes of the server whose message does not say it. */
const NEXT = new Map([
  ['taken_over', 'Close the other page, and start again here.'],
  ['session_unknown', 'Start again for a new session.'],
]);

/** Return what to tell the reader. @param {unknown} error */
export function explained(error) {
  if (error instanceof DOMException) return CURES.get(error.name) ?? `The browser says: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  const next = 'code' in error ? NEXT.get(String(error.code)) : undefined;
  return next ? `${error.message} ${next}` : error.message;
}
