// node client.mjs URL BYTES RATE: our client for browsers, streaming bytes that count up.
import { Stream } from '../../service/dragoman/web/client.js';

const [url, size, rate] = process.argv.slice(2);
const data = Uint8Array.from({ length: Number(size) }, (_, number) => number % 251);
const onEvent = (event) => 'seq' in event && console.log(event.seq, event.type);
const wishes = { audio: { encoding: 'pcm_s16le', sample_rate_hz: Number(rate), channels: 1 }, languages: ['de-DE'] };
const stream = new Stream(url, wishes, { onEvent, giveUpS: 5 });
for (let at = 0; at < data.length; at += 3200) {
  while (!stream.send(data.subarray(at, at + 3200))) await stream.room();
}
stream.end();
stream.done.then(
  () => process.exit(0),
  () => { console.log('failed'); process.exit(0); },
);
