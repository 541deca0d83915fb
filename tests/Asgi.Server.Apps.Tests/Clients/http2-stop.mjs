// A request that runs while its server stops: prints the answer, what GOAWAY said, and that the session has ended.
import http2 from 'node:http2';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const [, , origin, authority] = process.argv;
const session = http2.connect(origin, { ca: readFileSync(authority) });
const codes = [];
session.on('goaway', code => codes.push(code));
const closed = once(session, 'close');

const stream = session.request({ ':path': '/release' });
const [headers] = await once(stream, 'response');
let answer = '';
for await (const block of stream) answer += block;
await closed;
console.log(JSON.stringify({ status: headers[':status'], answer, codes: [...new Set(codes)] }));
