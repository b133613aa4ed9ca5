/** Streams standard input (PCM16, 16 kHz) to a server and prints the events: node stream.js URL WISHES */

import { Stream } from '../../service/dragoman/web/client.js';

const [url, wishes] = process.argv.slice(2);
const stream = new Stream(url, JSON.parse(wishes), { onEvent: (event) => console.log(JSON.stringify(event)) });
for await (const piece of process.stdin) {
  await stream.room();
  stream.send(piece);
}
stream.end();
await stream.done;
