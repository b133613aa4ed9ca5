import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stream, StreamError } from '../../service/dragoman/web/client.js';

/** A connection of which the test plays the server. */
class Socket {
  /** @type {Socket[]} */
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = String(url);
    Socket.all.push(this);
  }

  send(data) {
    this.sent.push(typeof data === 'string' ? JSON.parse(data) : data.slice());
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(message) {
    this.onmessage({ data: JSON.stringify({ session_id: 's_1', ...message }) });
  }

  acknowledge(samples) {
    this.say({ type: 'audio.ack', after_seq: 1, accepted_samples: samples, durability: 'file' });
  }

  break() {
    this.readyState = 3;
    this.onclose();
  }

  get audio() {
    return this.sent.filter((each) => each instanceof Uint8Array).flatMap((each) => [...each]);
  }

  get words() {
    return this.sent.filter((each) => !(each instanceof Uint8Array)).map((each) => each.type);
  }
}

const STARTED = { type: 'session.started', seq: 1, engine: 'e', model: null, targets: [] };
const ENDED = { type: 'session.ended', seq: 3, reason: 'completed', ledger: { accepted_samples: 6 } };

/** Return a stream, what it hands on, and the next connections that it opens, in turn. */
function opened(wishes = {}, options = {}) {
  Socket.all = [];
  const events = [];
  const onEvent = (each) => events.push(each);
  const stream = new Stream('http://server/', wishes, { WebSocket: Socket, onEvent, ...options });
  stream.done.catch(() => {});
  return { stream, events };
}

async function connection(number) {
  for (let tries = 0; Socket.all.length < number && tries < 400; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return Socket.all[number - 1];
}

/** @param {number} from @param {number} to */
const bytes = (from, to) => Uint8Array.from({ length: to - from }, (_, index) => from + index);

test('a session from configure to its end', async () => {
  const { stream, events } = opened({ languages: ['de-DE'] });
  stream.send(bytes(0, 8));
  const socket = await connection(1);
  assert.equal(socket.url, 'ws://server/v1/stream');
  assert.deepEqual(socket.sent, []);
  socket.open();
  assert.deepEqual(socket.sent[0], { type: 'configure', languages: ['de-DE'] });
  socket.say(STARTED);
  stream.send(bytes(8, 12));
  stream.end();
  assert.deepEqual(socket.audio, [...bytes(0, 12)]);
  assert.deepEqual(socket.words, ['configure', 'end']);
  socket.acknowledge(5);
  assert.equal(stream.acknowledgedSamples, 5);
  socket.say(ENDED);
  assert.equal((await stream.done).type, 'session.ended');
  assert.equal(stream.acknowledgedSamples, 6);
  assert.deepEqual(events.map((each) => each.type), ['session.started', 'audio.ack', 'session.ended']);
});

test('after a lost connection audio goes on where the server says, and no event comes twice', async () => {
  const { stream, events } = opened();
  const first = await connection(1);
  first.open();
  first.say(STARTED);
  stream.send(bytes(0, 10));
  first.acknowledge(2);
  first.break();
  stream.send(bytes(10, 14));
  stream.flush();
  stream.end();
  const second = await connection(2);
  second.open();
  assert.deepEqual(second.sent, [{ type: 'resume', session_id: 's_1', after_seq: 1 }]);
  second.say({ ...STARTED, seq: 1 });
  second.say({ type: 'speech.started', seq: 2, at_ms: 0 });
  assert.deepEqual(second.audio, [], 'audio waits for the acknowledgement');
  second.acknowledge(3);
  assert.deepEqual(second.audio, [...bytes(6, 14)]);
  assert.deepEqual(second.words, ['resume', 'flush', 'end']);
  second.say(ENDED);
  await stream.done;
  assert.deepEqual(events.filter((each) => each.seq).map((each) => each.seq), [1, 2, 3]);
  assert.equal(stream.connections, 2);
});

test('a place in audio of another rate is found by the session clock', async () => {
  const { stream } = opened({ audio: { sample_rate_hz: 48_000 } });
  const first = await connection(1);
  first.open();
  stream.send(bytes(0, 60));
  first.say(STARTED);
  first.acknowledge(5); // 15 samples of ours
  first.break();
  const second = await connection(2);
  second.open();
  second.acknowledge(5);
  assert.deepEqual(second.audio, [...bytes(30, 60)]);
  stream.close();
  assert.equal(await stream.done, null);
});

test('a session that another program began goes on where it is', async () => {
  const { stream } = opened({}, { session: { id: 's_1', token: 't' } });
  stream.send(bytes(0, 4));
  const socket = await connection(1);
  socket.open();
  assert.deepEqual(socket.sent[0], { type: 'resume', session_id: 's_1', after_seq: 0, token: 't' });
  socket.say(STARTED);
  socket.acknowledge(100);
  assert.deepEqual(socket.audio, [...bytes(0, 4)]);
  assert.equal(stream.unsafeMs, 0);
  stream.close();
});

test('what cannot be kept is refused, until there is room', async () => {
  const { stream } = opened({}, { keptS: 4 / 16_000 });
  const socket = await connection(1);
  socket.open();
  socket.say(STARTED);
  assert.equal(stream.send(bytes(0, 8)), true);
  assert.equal(stream.send(bytes(8, 16)), false);
  const room = stream.room();
  socket.acknowledge(4);
  await room;
  assert.equal(stream.send(bytes(8, 16)), true);
  assert.deepEqual(socket.audio, [...bytes(0, 16)]);
  stream.close();
});

test('the server says whether another connection is of use, and when', async () => {
  const states = [];
  const { stream } = opened({}, { onState: (each) => states.push(each) });
  const first = await connection(1);
  first.open();
  const draining = { code: 'draining', message: 'stopping', retryable: true, retry_after_ms: 150 };
  first.say({ type: 'connection.closing', ...draining });
  await new Promise(setImmediate);
  const { untilMs, reason } = states.at(-1);
  assert.equal(reason, 'stopping');
  assert.ok(untilMs - Date.now() > 100);
  const second = await connection(2);
  second.open();
  second.say({ type: 'connection.closing', code: 'taken_over', message: 'elsewhere', retryable: false });
  await assert.rejects(stream.done, (error) => error instanceof StreamError && error.code === 'taken_over');
});

test('a key buys a ticket for every connection', async (context) => {
  let number = 0;
  context.mock.method(globalThis, 'fetch', async (url, { headers }) => {
    assert.deepEqual([String(url), headers.Authorization], ['http://server/v1/tickets', 'Bearer k']);
    number += 1;
    if (number < 3) return Response.json({ ticket: `t${number}` });
    return Response.json({ error: { code: 'key_refused', message: 'no' } }, { status: 401 });
  });
  const { stream } = opened({}, { key: 'k' });
  assert.equal((await connection(1)).url, 'ws://server/v1/stream?ticket=t1');
  Socket.all[0].break();
  assert.equal((await connection(2)).url, 'ws://server/v1/stream?ticket=t2');
  Socket.all[1].break();
  await assert.rejects(stream.done, { code: 'key_refused', message: 'no' });
});

test('without any connection it gives up', async () => {
  const { stream } = opened({}, { giveUpS: 0 });
  (await connection(1)).break();
  await assert.rejects(stream.done, { code: 'stream_failed' });
});
