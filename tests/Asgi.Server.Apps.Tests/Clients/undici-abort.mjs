// One endless request with undici, given up when the standard input ends; then another one. Prints what both came to.
import { request } from 'undici';

const [, , address, method] = process.argv;
const abort = new AbortController();
process.stdin.resume().on('end', () => abort.abort());

let ended = 'completed';
try {
  const response = await request(address, { method, body: method === 'PUT' ? endless() : null, signal: abort.signal });
  for await (const _ of response.body) { /* until it is given up */ }
} catch (error) {
  ended = error.name;
}
const after = await request(new URL('/connection', address));
await after.body.dump();
console.log(JSON.stringify({ ended, after: after.statusCode }));

async function* endless() {
  while (true) yield Buffer.alloc(65536);
}
