// What engines lack: a Promise, a console, fetch; and bytes where the protocol is not text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';

import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

import { END, OFFERS, Server, Socket, hubwire, served } from './kit.mjs';

const SCRIPT = served('hubwire.min.js');

/** The client in an engine that has timers and nothing else. */
function bareEngine() {
  const context = vm.createContext({ setTimeout, clearTimeout });
  vm.runInContext('delete this.Promise; delete this.console; this.self = this;', context);
  vm.runInContext(SCRIPT, context);
  return context;
}

test('an engine without Promise connects, calls and is told of errors', async () => {
  const { hubwire } = bareEngine();
  const sockets = [];
  class WebSocket extends Socket {
    constructor(url) {
      super(url);
      sockets.push(this);
    }
  }
  const connection = new hubwire.HubConnectionBuilder()
    .withUrl('http://example.org/chat', { WebSocket, skipNegotiation: true, transport: 1 })
    .build();
  const started = connection.start();
  assert.ok(!(started instanceof Promise));
  while (!sockets.length) await new Promise((resolve) => setTimeout(resolve, 1));
  const [socket] = sockets;
  const [hello] = await Promise.all([socket.accept(), new Promise((resolve, reject) => started.then(resolve, reject))]);
  assert.deepEqual(hello, { protocol: 'json', version: 1 });
  const answer = new Promise((resolve, reject) => connection.invoke('Echo').then(resolve, reject));
  socket.say({ type: 3, invocationId: (await socket.next()).invocationId, result: 1 });
  assert.equal(await answer, 1);
  const order = [];
  connection.invoke('Fail').then(null, (error) => { order.push(error.message); return 'caught'; })
    .then((value) => { order.push(value); throw new Error('thrown'); })
    .catch((error) => order.push(error.message));
  order.push('before');
  socket.say({ type: 3, invocationId: (await socket.next()).invocationId, error: 'no' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(order, ['before', 'no', 'caught', 'thrown']);
  await new Promise((resolve) => connection.stop().then(resolve));
  assert.equal(connection.state, 'Disconnected');
});

test('MozWebSocket is one, and navigator.onLine is not asked', async () => {
  const context = bareEngine();
  const opened = new Promise((resolve) => {
    context.MozWebSocket = class extends Socket {
      constructor(url) {
        super(url);
        resolve(this);
      }
    };
  });
  context.navigator = { onLine: false };
  const connection = new context.hubwire.HubConnectionBuilder().withUrl('http://example.org/chat', { skipNegotiation: true, transport: 1 }).build();
  const started = new Promise((resolve, reject) => connection.start().then(resolve, reject));
  await (await opened).accept();
  await started;
  assert.equal(connection.transport, 'WebSockets');
  await new Promise((resolve) => connection.stop().then(resolve));
});

test("Microsoft's MessagePack protocol goes over a WebSocket as bytes", async () => {
  const server = new Server();
  const protocol = new MessagePackHubProtocol();
  const connection = server.builder().withHubProtocol(protocol).build();
  const started = connection.start();
  const socket = await server.sockets.next();
  socket.open();
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.deepEqual(await socket.received.next(), { protocol: 'messagepack', version: 1 });
  const heard = [];
  connection.on('said', (bytes) => heard.push([...bytes]));
  // A message may follow right behind the handshake.
  const hello = new TextEncoder().encode('{}\x1e');
  const message = new Uint8Array(protocol.writeMessage({ type: 1, target: 'said', arguments: [new Uint8Array([1, 30, 2])], headers: {} }));
  socket.onmessage({ data: new Uint8Array([...hello, ...message]).buffer });
  await started;
  assert.deepEqual(heard, [[1, 30, 2]]);
  await socket.received.next();
  const call = connection.invoke('Echo', 'x');
  const [sent] = protocol.parseMessages(toBuffer(await socket.received.next()), { log() {} });
  assert.equal(sent.target, 'Echo');
  socket.onmessage({ data: toBuffer(protocol.writeMessage({ type: 3, invocationId: sent.invocationId, result: 'x', headers: {} })) });
  assert.equal(await call, 'x');
  await connection.stop();
});

function toBuffer(bytes) {
  return new Uint8Array(bytes).buffer;
}

test('bytes are not offered to event streams, and are polled as bytes', async () => {
  const server = new Server();
  const protocol = new MessagePackHubProtocol();
  server.answer.availableTransports = [OFFERS.ServerSentEvents, OFFERS.LongPolling];
  const polls = [new TextEncoder().encode('{}\x1e').buffer];
  let isOpen = false;
  server.respond = ({ method, url, responseType, content }) => {
    if (url.includes('/negotiate')) return { statusCode: 200, content: JSON.stringify(server.answer) };
    if (method !== 'GET') return { statusCode: 200, content };
    assert.equal(responseType, 'arraybuffer');
    if (!isOpen) {
      isOpen = true;
      return { statusCode: 200, content: new ArrayBuffer(0) };
    }
    return polls.length ? { statusCode: 200, content: polls.shift() } : new Promise(() => {});
  };
  const connection = server.builder({ EventSource: class {} }).withHubProtocol(protocol).build();
  await connection.start();
  await Promise.all([connection.send('A', 1), connection.send('B', 2), connection.send('C', 3)]);
  const posts = server.requests.filter(({ method, content }) => method === 'POST' && typeof content === 'object');
  const messages = posts.flatMap(({ content }) => protocol.parseMessages(toBuffer(content), { log() {} }));
  assert.deepEqual(messages.map(({ target }) => target), ['A', 'B', 'C']);
  assert.equal(connection.attempts[0].transport, 'ServerSentEvents');
  await connection.stop();
});

test('an answer that was cut and looks whole is asked for again', async () => {
  const server = new Server();
  server.answer.availableTransports = [OFFERS.LongPolling];
  server.answer.useAcks = true;
  const message = `${JSON.stringify({ type: 1, target: 'Hear', arguments: ['you'] })}${END}`;
  const answers = ['', `{}${END}`, '{"t', message.slice(0, -2), message];
  const acks = [];
  server.respond = ({ method, url, content }) => {
    if (url.includes('/negotiate')) return { statusCode: 200, content: JSON.stringify(server.answer) };
    if (method !== 'GET') return { statusCode: 200, content };
    acks.push(new URL(url).searchParams.get('ack'));
    return answers.length ? { statusCode: 200, content: answers.shift() } : new Promise(() => {});
  };
  const connection = server.builder().build();
  const heard = new Promise((resolve) => connection.on('Hear', resolve));
  await connection.start();
  assert.equal(await heard, 'you');
  assert.deepEqual(acks.slice(0, 5), ['0', '0', '1', '1', '1']);
  await connection.stop();
});

test('a class for requests that is given is used', async () => {
  const asked = [];
  class XMLHttpRequest {
    open(method, url) { asked.push(`${method} ${new URL(url).pathname}`); }
    setRequestHeader() {}
    abort() {}
    send() {
      Object.assign(this, { status: 200, statusText: 'OK', responseText: '{"error":"not today"}' });
      this.onload();
    }
  }
  const { hubwire } = bareEngine();
  const connection = new hubwire.HubConnectionBuilder().withUrl('http://example.org/chat', { XMLHttpRequest }).build();
  const refusal = await new Promise((resolve) => connection.start().then(null, resolve));
  assert.match(refusal.message, /not today/);
  assert.deepEqual(asked, ['POST /chat/negotiate']);
});

test('levels have names, and a logger says what it is told', (t) => {
  const build = (level) => new hubwire.HubConnectionBuilder().withUrl('http://example.org/').configureLogging(level).build();
  assert.throws(() => build('loud'), /No LogLevel loud/);
  for (const name of ['trace', 'debug', 'info', 'Information', 'warn', 'warning', 'error', 'critical', 'none']) {
    build(name);
  }
  const warn = t.mock.method(console, 'warn', () => {});
  const connection = build('warn');
  assert.equal(connection.state, 'Disconnected');
  assert.equal(warn.mock.callCount(), 0);
});

test('enums have the official values, both ways', () => {
  assert.equal(hubwire.HttpTransportType[hubwire.HttpTransportType.ShortPolling], 'ShortPolling');
  assert.equal(hubwire.HubConnectionState.Connected, 'Connected');
  assert.equal(hubwire.TransferFormat.Binary, 2);
  assert.equal(hubwire.MessageType.Sequence, 9);
});
