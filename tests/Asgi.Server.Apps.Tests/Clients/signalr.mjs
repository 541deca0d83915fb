// What a page does with a hub, by one transport. Prints what came of it for SignalRTests.cs.
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';

const [, , address, transport] = process.argv;
const connection = new HubConnectionBuilder()
  .withUrl(address, { transport: HttpTransportType[transport] })
  .withAutomaticReconnect([0, 100, 1000])
  .configureLogging(LogLevel.None)
  .build();

const heard = [];
connection.on('Hear', text => heard.push(text));
connection.on('Ask', question => `${question}!`);
await connection.start();

const before = connection.connectionId;
const echo = await connection.invoke('Echo', 'hello \u{1F30D}');
const large = (await connection.invoke('Echo', 'x'.repeat(1_000_000))).length;
const error = await connection.invoke('Fail').catch(failure => failure.message);
const answer = await connection.invoke('AskBack', 'you?');
for (let number = 0; number < 20; number++) await connection.invoke('Tell', `${number}`);
const counted = await listen('Count', 100);
const doubled = await listen('Double', upload(100));
const sum = await connection.invoke('Sum', upload(100));

let reconnected = null;
if (transport !== 'LongPolling') { // its requests end all the time
  const again = new Promise(resolve => connection.onreconnected(resolve));
  connection.invoke('Drop').catch(() => { /* the answer is lost with the connection */ });
  reconnected = await again !== before && await connection.invoke('Echo', 'again');
}
await connection.stop();
console.log(JSON.stringify({ echo, large, error, answer, heard, counted, doubled, sum, reconnected }));

function listen(method, argument) {
  const items = [];
  return new Promise((resolve, reject) =>
    connection.stream(method, argument).subscribe({ next: item => items.push(item), complete: () => resolve(items), error: reject }));
}

// What the client sends as a stream: it subscribes, and hears each item.
function upload(count) {
  return {
    subscribe(observer) {
      for (let item = 0; item < count; item++) observer.next(item);
      observer.complete();
      return { dispose() {} };
    }
  };
}
