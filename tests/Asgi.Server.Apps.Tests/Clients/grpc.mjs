// What a service does with a gRPC service, by gRPC's own client for Node and messages of bytes. Prints what came of it for GrpcTests.cs.
import grpc from '@grpc/grpc-js';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const [, , address, authority] = process.argv;
const same = bytes => bytes;
const method = (name, requestStream, responseStream) => ({
  path: `/test.Tester/${name}`, requestStream, responseStream,
  requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same,
});
const Tester = grpc.makeGenericClientConstructor({
  echo: method('Echo', false, false),
  fail: method('Fail', false, false),
  failLate: method('FailLate', false, true),
  missing: method('Missing', false, false),
  count: method('Count', false, true),
  sum: method('Sum', true, false),
  double: method('Double', true, true),
  wait: method('Wait', false, false),
  heard: method('Heard', false, false),
}, 'Tester');
const credentials = authority ? grpc.credentials.createSsl(readFileSync(authority)) : grpc.credentials.createInsecure();
const client = new Tester(address, credentials, {
  'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1,
});
const said = {};

const metadata = new grpc.Metadata();
metadata.set('x-said', 'said');
said.unary = await new Promise((resolve, reject) => {
  const answer = {};
  const call = client.echo(Buffer.from('hello'), metadata, (error, message) => error ? reject(error) : answer.message = `${message}`);
  call.on('metadata', head => answer.head = head.get('x-head')[0]);
  call.on('status', status => resolve({ ...answer, code: status.code, trailer: status.metadata.get('x-trailer')[0] }));
});

said.empty = (await unary('echo', Buffer.alloc(0))).length;
const mebibyte = Buffer.alloc(1 << 20, 'abcdefg');
said.large = mebibyte.equals(await unary('echo', mebibyte));
said.parallel = (await Promise.all(Array.from({ length: 100 }, (_, number) => unary('echo', Buffer.from(`${number}`))))).map(Number);

said.counted = await all(client.count(Buffer.from('500')));
said.sum = await new Promise((resolve, reject) => {
  const call = client.sum((error, sum) => error ? reject(error) : resolve(Number(sum)));
  for (let item = 0; item < 500; item++) call.write(Buffer.from(`${item}`));
  call.end();
});

// One at a time: each answer is awaited before the next question.
const double = client.double();
said.doubled = [];
for (let item = 0; item < 50; item++) {
  double.write(Buffer.from(`${item}`));
  said.doubled.push(Number((await once(double, 'data'))[0]));
}
double.end();
said.doubleCode = (await once(double, 'status'))[0].code;

said.fail = await failure(client.fail.bind(client));
said.missing = await failure(client.missing.bind(client));
const late = client.failLate(Buffer.alloc(0));
said.lateItems = [];
late.on('data', item => said.lateItems.push(`${item}`));
said.late = await new Promise(resolve => late.on('error', error => resolve({ code: error.code, details: error.details })));

said.deadline = await failure((message, done) => client.wait(message, { deadline: Date.now() + 200 }, done));
said.deadlineHeard = `${await unary('heard', Buffer.from('aborted'))}`;

const waits = new Promise(resolve => {
  const call = client.wait(Buffer.alloc(0), error => resolve({ code: error.code, details: error.details }));
  unary('heard', Buffer.from('waits')).then(() => call.cancel());
});
said.cancelled = await waits;
said.cancelHeard = `${await unary('heard', Buffer.from('aborted'))}`;
said.after = `${await unary('echo', Buffer.from('still here'))}`;
client.close();
console.log(JSON.stringify(said));

function unary(name, message) {
  return new Promise((resolve, reject) => client[name](message, (error, answer) => error ? reject(error) : resolve(answer)));
}

function failure(call) {
  return new Promise(resolve => call(Buffer.alloc(0), error => resolve({ code: error.code, details: error.details })));
}

async function all(call) {
  const items = [];
  for await (const item of call) items.push(Number(item));
  return items;
}
