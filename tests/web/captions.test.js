import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Captions, clock } from '../../service/dragoman/web/captions.js';

/** Return the captions of a session with the targets German and English after some more events. */
function after(...events) {
  const captions = new Captions();
  const started = { type: 'session.started', seq: 1, engine: 'whisper', model: 'm', targets: ['de', 'en'] };
  for (const event of [started, ...events]) captions.take({ session_id: 's_1', ...event });
  return captions;
}

const partial = (text, stable_len = 0, id = 'u_1') => ({
  type: 'transcript.partial', utterance_id: id, rev: 1, text, stable_len,
  start_ms: 0, end_ms: 100, locale: 'en-US', channel: null,
});
const final = (text, more = {}) => ({
  type: 'transcript.final', utterance_id: 'u_1', text, start_ms: 0, end_ms: 900, locale: 'en-US', changed_from: null,
  speaker: null, channel: null, translates_to: ['de'], engine: 'whisper',
  latency: { since_speech_end_ms: null }, ...more,
});

test('a partial is cut where it is stable, counted in characters', () => {
  const { open } = after(partial('😀 is it', 3));
  assert.deepEqual(open.get('u_1').draft, { stable: '😀 i', tail: 's it' });
});

test('a final takes the place of its partial, and a late partial changes nothing', () => {
  const captions = after(partial('Good mor'), final('Good morning.'), partial('Good mo'));
  assert.equal(captions.open.size, 0);
  assert.deepEqual(captions.utterances.map((each) => each.text), ['Good morning.']);
});

test('an empty partial takes back what was shown', () => {
  assert.equal(after(partial('Hm'), partial('')).open.size, 0);
});

test('a translation is a draft, then waits, then is final, failed, or not needed', () => {
  const draft = { type: 'translation.partial', utterance_id: 'u_1', target: 'de', text: 'Guten', stable_len: 0 };
  const captions = after(partial('Good mor'), draft, final('Good morning.'));
  const { translations } = captions.utterances[0];
  assert.deepEqual(translations.get('de'), { state: 'pending', text: 'Guten' });
  assert.deepEqual(translations.get('en'), { state: 'same', text: 'Good morning.' });
  captions.changed.clear();
  captions.take({ type: 'translation.final', utterance_id: 'u_1', target: 'de', text: 'Guten Morgen.' });
  assert.deepEqual(translations.get('de'), { state: 'final', text: 'Guten Morgen.' });
  assert.equal(captions.changed.size, 1);
  captions.take({ type: 'translation.failed', utterance_id: 'u_1', target: 'de', code: 'c', message: 'm' });
  assert.equal(translations.get('de').state, 'failed');
  assert.equal(after(final('x', { translates_to: [] })).utterances[0].translations.get('de').state, 'none');
});

test('latency is told by its middle and its slow end', () => {
  const finals = Array.from({ length: 20 }, (_, index) =>
    final('x', { utterance_id: `u_${index}`, latency: { since_speech_end_ms: 100 * (index + 1) } }));
  assert.deepEqual(after(...finals).latency, { p50Ms: 1000, p95Ms: 1900 });
  assert.deepEqual(after().latency, { p50Ms: null, p95Ms: null });
});

test('the ledger and what was lost on the way are counted', () => {
  const lost = { type: 'audio.lost', start_ms: 0, end_ms: 500, samples: 8_000, reason: 'engine_failed' };
  assert.equal(after(lost).lostMs, 500);
  const ledger = { accepted_samples: 32_000, final_samples: 24_000, lost_samples: 8_000, discarded_samples: 0 };
  const captions = after(lost, partial('x'), { type: 'session.ended', reason: 'failed', ledger });
  assert.deepEqual([captions.heardMs, captions.lostMs, captions.open.size], [2000, 500, 0]);
});

test('another engine is named', () => {
  const change = { type: 'engine.changed', engine: 'azure', changed_from: 'whisper', reason: 'slow', at_ms: 61_000 };
  const { engine, changed } = after(change);
  assert.deepEqual(engine, { name: 'azure', model: null, changes: 1 });
  assert.deepEqual([...changed], [{ kind: 'note', message: 'From 1:01 on azure listens, not whisper: slow.' }]);
});

test('times are read as clocks show them', () => {
  assert.deepEqual([0, 61_900, 3_723_000].map(clock), ['0:00', '1:01', '1:02:03']);
});
