'use strict';

// What needs no hub: where the client turns to, when it loses patience, and what it says to the programmer.
// Negotiation is real HTTP; the WebSocket only records, and says what a test makes it say.

const assert = require('node:assert');
const http = require('node:http');
const { once } = require('node:events');
const test = require('node:test');

const { HubConnectionBuilder } = require('../src/hubwire.js');

const RECORD_SEPARATOR = '\x1e';

/** A WebSocket class that does nothing by itself, and a promise of the socket that is made of it. */
function recorded() {
  let made;
  const socket = new Promise((resolve) => { made = resolve; });
  class WebSocket {
    constructor(url) {
      this.url = url;
      made(this);
    }
    send() {}
    close() {}
    receive(...messages) {
      const data = messages.map((message) => JSON.stringify(message) + RECORD_SEPARATOR).join('');
      this.onmessage({ data });
    }
  }
  return { WebSocket, socket };
}

test('a ws address is negotiated over http, and its fragment stays here', async (t) => {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({
      connectionId: 'public',
      connectionToken: 'secret',
      availableTransports: [{ transport: 'WebSockets', transferFormats: ['Text'] }],
    }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = `127.0.0.1:${server.address().port}`;
  const { WebSocket, socket } = recorded();
  const connection = new HubConnectionBuilder()
    .withUrl(`ws://${address}/chat?room=1#top`, { WebSocket })
    .build();
  connection.start().catch(() => {});
  assert.strictEqual((await socket).url, `ws://${address}/chat?room=1&id=secret`);
  assert.deepStrictEqual(asked, ['POST /chat/negotiate?room=1&negotiateVersion=1']);
  await connection.stop();
});

test('wss stays wss', async () => {
  const { WebSocket, socket } = recorded();
  const connection = new HubConnectionBuilder()
    .withUrl('wss://example.org/chat#top', { WebSocket, skipNegotiation: true })
    .build();
  connection.start().catch(() => {});
  assert.strictEqual((await socket).url, 'wss://example.org/chat');
  await connection.stop();
});

test('patience with the server begins when there is a token', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { WebSocket, socket } = recorded();
  let login;
  const token = new Promise((resolve) => { login = resolve; });
  const connection = new HubConnectionBuilder()
    .withUrl('http://example.org/chat', { WebSocket, skipNegotiation: true, accessTokenFactory: () => token })
    .build();
  const started = connection.start();
  started.catch(() => {});
  t.mock.timers.tick(10 * connection.serverTimeoutInMilliseconds);
  login('t');
  assert.strictEqual((await socket).url, 'ws://example.org/chat?access_token=t');
  t.mock.timers.tick(connection.serverTimeoutInMilliseconds);
  await assert.rejects(started, /the server was silent for 30000 ms/);
});

test('a call that nobody handles is one warning for each name', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const { WebSocket, socket } = recorded();
  const connection = new HubConnectionBuilder()
    .withUrl('http://example.org/chat', { WebSocket, skipNegotiation: true })
    .build();
  const heard = [];
  connection.on('Known', (text) => heard.push(text));
  const started = connection.start();
  const server = await socket;
  const say = (...messages) => server.receive(...messages);
  server.onopen();
  say({});
  await started;
  const call = (target, text) => ({ type: 1, target, arguments: [text] });
  say(call('Mistyped'), call('mistyped'), call('Known', 'a'), call('constructor'));
  assert.deepStrictEqual(heard, ['a']);
  assert.deepStrictEqual(warn.mock.calls.map(({ arguments: [text] }) => text), [
    "No client method with the name 'mistyped' found.",
    "No client method with the name 'constructor' found.",
  ]);
  connection.on('Mistyped', (text) => heard.push(text));
  say(call('Mistyped', 'b'));
  assert.deepStrictEqual(heard, ['a', 'b']);
  await connection.stop();
});
