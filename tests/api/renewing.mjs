// node renewing.mjs URL FIRST SECOND: streams with two keys, the second when it is asked for another; ends with its input.
import { Stream } from '../../service/dragoman/web/client.js';

const [url, ...keys] = process.argv.slice(2);
const key = async () => (keys.length > 1 ? keys.shift() : keys[0]);
const onEvent = (event) => 'seq' in event && console.log(event.type, event.code ?? '');
const stream = new Stream(url, {}, { key, onEvent });
stream.send(new Uint8Array(32_000));
process.stdin.once('data', () => {
  stream.send(new Uint8Array(32_000));
  stream.end();
});
stream.done.then(
  (last) => { console.log(last.reason, stream.connections, last.ledger.accepted_samples); process.exit(0); },
  (error) => { console.log('failed', error.code); process.exit(0); },
);
