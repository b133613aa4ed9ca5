/**
 * Saves the transcript as a file. The server writes it: every final on the page was stored there before it was shown,
 * and there is one program that cuts captions into lines and cues, not two that differ.
 */

import { TroubleError } from './trouble.js';

const ENDINGS = { srt: 'srt', vtt: 'vtt', text: 'txt', json: 'json' };

/** @typedef {keyof typeof ENDINGS} Format */

/**
 * Fetch the transcript of a session and have the browser save it.
 * @param {string} sessionId
 * @param {Format} format
 * @param {string} captionsIn the target language of SRT and VTT; empty for what was spoken
 * @param {string | undefined} key
 */
export async function save(sessionId, format, captionsIn, key) {
  const url = new URL(`v1/transcripts/${encodeURIComponent(sessionId)}`, document.baseURI);
  url.searchParams.set('format', format);
  const isCaptions = format === 'srt' || format === 'vtt';
  if (captionsIn && isCaptions) url.searchParams.set('captions_in', captionsIn);
  const answer = await fetch(url, { headers: key ? { Authorization: `Bearer ${key}` } : {} }).catch(() => null);
  if (!answer) throw new TroubleError('The server cannot be reached. The transcript is safe there; save it later.');
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw new TroubleError(problem?.error?.message ?? `The server answers ${answer.status}; save it later.`);
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  const time = new Date().toISOString().slice(0, 16).replace(/\D/g, '-');
  link.download = `captions-${time}${captionsIn && isCaptions ? `.${captionsIn}` : ''}.${ENDINGS[format]}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
