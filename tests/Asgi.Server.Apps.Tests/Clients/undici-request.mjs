// One request with undici, and a second one behind it on what should be the same connection. Its argument is the request as
// Matrix/UndiciClient.cs writes it; its output is the answer.
import { Client } from 'undici';
import { content, summary } from './content.mjs';

const { origin, method, path, headers, size, isChunked } = JSON.parse(process.argv[2]);

const client = new Client(origin);
// A stream of unknown length is sent in chunks.
const body = size === null ? null : isChunked ? blocks(content(size)) : content(size);
const response = await client.request({ method, path, headers, body });
const answer = { status: response.statusCode, headers: response.headers, ...await summary(response.body) };
const next = await client.request({ method: 'GET', path: '/connection' });
console.log(JSON.stringify({ ...answer, next: (await next.body.text()) }));
await client.close();

async function* blocks(bytes) {
  for (let start = 0; start < bytes.length; start += 65536) yield bytes.subarray(start, start + 65536);
}
