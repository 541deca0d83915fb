// A session of Node's own HTTP/2 client, whose engine is nghttp2: settings, pings, many streams, trailers, resets, a web socket by
// extended CONNECT (RFC 8441). Prints what came of each for NodeHttp2Tests.cs.
import http2 from 'node:http2';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const [, , origin, authority, tableSize] = process.argv;
const { NGHTTP2_CANCEL } = http2.constants;
const session = http2.connect(origin, { ca: readFileSync(authority), settings: { enablePush: false } });
const [remote] = await once(session, 'remoteSettings');
const said = { alpn: session.alpnProtocol, connectProtocol: remote.enableConnectProtocol, streams: remote.maxConcurrentStreams };

said.ping = await new Promise((resolve, reject) =>
  session.ping(Buffer.from('12345678'), (error, _, payload) => error ? reject(error) : resolve(`${payload}`)));

const hashes = await Promise.all(Array.from({ length: 100 }, (_, number) => get(`/bytes?n=${number * 1000}`)));
said.hashes = hashes.map(answer => createHash('sha256').update(answer.content).digest('hex'));

// Large content through windows that shrink meanwhile.
const large = get('/bytes?n=3000000');
await new Promise(resolve => session.settings(
  { initialWindowSize: 5000, maxFrameSize: 20000, headerTableSize: Number(tableSize) }, resolve));
said.large = createHash('sha256').update((await large).content).digest('hex');
said.small = `${(await get('/plaintext')).content}`;

const upload = session.request({ ':method': 'POST', ':path': '/trailers', trailer: 'x-sum' }, { waitForTrailers: true });
upload.on('wantTrailers', () => upload.sendTrailers({ 'x-sum': '42' }));
upload.end('content');
said.trailers = await read(upload);

const expects = session.request({ ':method': 'POST', ':path': '/hash', expect: '100-continue' });
await once(expects, 'continue');
expects.end('expected');
said.expected = `${(await read(expects)).content}`;

const cancelled = session.request({ ':path': '/wait' });
await get('/heard?word=waits');
cancelled.close(NGHTTP2_CANCEL);
said.cancelled = `${(await get('/heard?word=aborted')).content}`;

const reset = session.request({ ':path': '/reset?code=11' });
reset.on('error', () => { /* the code says it */ });
await new Promise(resolve => reset.on('close', resolve));
said.reset = reset.rstCode;

said.head = (await get('/length', 'HEAD')).headers['content-length'];
said.socket = await webSocket();
said.version = `${(await get('/protocol')).content}`;
await new Promise(resolve => session.close(resolve));
console.log(JSON.stringify(said));

function get(path, method = 'GET') {
  return read(session.request({ ':method': method, ':path': path }));
}

async function read(stream) {
  let headers, trailers;
  stream.on('response', fields => headers = { ...fields });
  stream.on('trailers', fields => trailers = { ...fields });
  const blocks = [];
  for await (const block of stream) blocks.push(block);
  if (headers[':status'] !== 200) throw new Error(`${headers[':status']} instead of 200`);
  const content = Buffer.concat(blocks);
  return { headers, trailers, content, text: content.length < 100 ? `${content}` : null };
}

// Frames of RFC 6455, section 5.2, masked with zeros, which leaves the bytes as they are.
async function webSocket() {
  const stream = session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', 'sec-websocket-version': '13',
    ':scheme': new URL(origin).protocol.slice(0, -1), ':authority': new URL(origin).host,
  });
  const [headers] = await once(stream, 'response');
  if (headers[':status'] !== 200) throw new Error(`${headers[':status']} instead of 200`);
  const received = [];
  stream.on('data', block => received.push(block));
  const text = 'hello';
  stream.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
  stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])); // Close, 1000
  await once(stream, 'end');
  stream.end();
  await once(stream, 'close');
  return { received: Buffer.concat(received).toString('hex'), status: headers[':status'], code: stream.rstCode };
}
