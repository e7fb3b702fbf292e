// TLS, and HTTP/2 with it: the same hubs, clients that vanish in the ways that only HTTP/2 knows, and a browser.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { after, test } from 'node:test';
import * as tls from 'node:tls';

import * as signalr from '@microsoft/signalr';
import WebSocket from 'ws';

import { launch, skip } from './kit/browser.mjs';
import { END, HANDSHAKE, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until, within } from './kit/within.mjs';

/** Far longer than the times of /fast. */
const NOTICED = 20_000;

const server = await TestServer.start({ TLS: '1' });
after(() => server.stop());
const [url] = (await server.logged(/https:\/\/127\.0\.0\.1:\d+/)).match(/https:\S+/);
const { port } = new URL(url);

/** Nothing is left of the clients of a test. */
async function gone() {
  for (const hub of ['hub', 'fast', 'big']) await server.counted(0, hub, NOTICED);
  await until(NOTICED, 'the sockets to be given back', () => server.sockets(Number(port)) === 0);
}

/** One HTTP/2 connection, and requests on it. */
class Http2 {
  static async open(t) {
    const client = new Http2();
    client.socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    client.session = connect(url, { createConnection: () => client.socket });
    client.session.on('error', () => {});
    t.after(() => client.session.destroy());
    await within(SOON, once(client.session, 'connect'), 'a session');
    assert.equal(client.session.alpnProtocol, 'h2');
    return client;
  }

  /** Sends a request; gives its stream, with what has arrived of the answer in `text`. */
  request(method, path, { body = '', headers = {} } = {}) {
    const stream = this.session.request({ ':method': method, ':path': path, ...headers });
    stream.text = '';
    stream.setEncoding('utf8').on('data', (text) => (stream.text += text));
    stream.on('error', () => {});
    stream.head = once(stream, 'response').then(([head]) => head);
    stream.head.catch(() => {});
    stream.over = once(stream, 'close');
    stream.over.catch(() => {});
    if (method === 'POST') stream.end(body);
    return stream;
  }

  /** Sends a request and waits for the whole answer: its status and its body. */
  async ask(method, path, options) {
    const stream = this.request(method, path, options);
    const head = await within(SOON, stream.head, `the answer to ${method} ${path}`);
    await within(SOON, stream.over, `the end of the answer to ${method} ${path}`);
    return [head[':status'], stream.text];
  }

  async negotiate(path) {
    const [status, text] = await this.ask('POST', `${path}/negotiate?negotiateVersion=1`);
    assert.equal(status, 200);
    const { connectionId, connectionToken } = JSON.parse(text);
    return { id: connectionId, path: `${path}?id=${connectionToken}` };
  }

  /** An event stream that has shaken hands. */
  async events(path) {
    const connection = await this.negotiate(path);
    const stream = this.request('GET', connection.path, { headers: { accept: 'text/event-stream' } });
    assert.equal((await within(SOON, stream.head, 'the head of a stream'))[':status'], 200);
    assert.deepEqual(await this.ask('POST', connection.path, { body: HANDSHAKE }), [200, '']);
    await until(SOON, 'a handshake', () => stream.text.includes(`data: {}${END}`));
    return { ...connection, stream };
  }

  /** A connection that is polled and has shaken hands. */
  async polled(path) {
    const connection = await this.negotiate(path);
    assert.deepEqual(await this.ask('GET', connection.path), [200, '']);
    assert.deepEqual(await this.ask('POST', connection.path, { body: HANDSHAKE }), [200, '']);
    assert.deepEqual(await this.ask('GET', connection.path), [200, `{}${END}`]);
    return connection;
  }
}

/** The ways in which a client vanishes. */
const VANISHING = {
  'resets its stream': (client, stream) => stream.close(8 /* CANCEL */),
  'destroys its session': (client) => client.session.destroy(),
  'closes its socket without a word': (client) => client.socket.destroy(),
};

test('an event stream, and POST for everything up', async (t) => {
  const client = await Http2.open(t);
  const { id, path, stream } = await client.events('/hub');
  await client.ask('POST', path, { body: invocation('Add', [1, 2], '1') });
  await until(SOON, 'a result', () => stream.text.includes('"result":3'));
  await client.ask('POST', path, { body: invocation('Echo', ['x'.repeat(20_000)], '2') });
  await until(SOON, 'a long result', () => stream.text.includes('x'.repeat(20_000)));
  await client.ask('POST', path, { body: `{"type":7}${END}` });
  await within(SOON, stream.over, 'the end of the stream');
  assert.equal(await server.farewell(id), 'client closed');
  client.session.destroy();
  await gone();
});

test('polls, and a DELETE at the end', async (t) => {
  const client = await Http2.open(t);
  const { id, path } = await client.polled('/hub');
  const poll = client.ask('GET', path);
  await client.ask('POST', path, { body: invocation('Add', [1, 2], '1') });
  assert.match((await poll)[1], /"result":3/);
  assert.deepEqual(await client.ask('DELETE', path), [202, '']);
  assert.equal(await server.farewell(id), 'client closed');
  client.session.destroy();
  await gone();
});

test('a stream that is reset leaves another on the same session alone', async (t) => {
  const client = await Http2.open(t);
  const [one, other] = await Promise.all([client.events('/fast'), client.events('/fast')]);
  one.stream.close(8);
  assert.equal(await server.farewell(one.id, NOTICED), 'network lost');
  await client.ask('POST', other.path, { body: invocation('Echo', ['still here'], '1') });
  await until(SOON, 'a result', () => other.stream.text.includes('still here'));
  client.session.destroy();
  await gone();
});

for (const [what, vanish] of Object.entries(VANISHING)) {
  test(`a client with an event stream ${what}`, async (t) => {
    const client = await Http2.open(t);
    const { id, stream } = await client.events('/fast');
    vanish(client, stream);
    assert.equal(await server.farewell(id, NOTICED), 'network lost');
    client.session.destroy();
    await gone();
  });

  test(`a client with a parked poll ${what}`, async (t) => {
    const client = await Http2.open(t);
    const { id, path } = await client.polled('/fast');
    const poll = client.request('GET', path);
    // What is asked behind it is answered, so it has arrived.
    await client.ask('GET', '/count/fast');
    vanish(client, poll);
    assert.equal(await server.farewell(id, NOTICED), 'network lost');
    client.session.destroy();
    await gone();
  });
}

test('a poll that was reset takes nothing with it', async (t) => {
  const client = await Http2.open(t);
  const { path } = await client.polled('/big');
  const polls = [1, 2, 3].map(() => client.request('GET', path));
  // Their answers, 204 for those that were superseded, show that the last one waits.
  await Promise.all(polls.slice(0, 2).map((poll) => within(SOON, poll.over, 'the end of a superseded poll')));
  polls[2].close(8);
  // What is sent from here on comes behind the reset.
  await within(SOON, polls[2].over, 'the reset');
  await client.ask('POST', path, { body: invocation('Echo', ['kept'], '1') });
  let text = '';
  while (!text.includes('kept')) text += (await client.ask('GET', path))[1];
  assert.deepEqual(await client.ask('DELETE', path), [202, '']);
  client.session.destroy();
  await gone();
});

test('streams that are not read leave nothing behind, though their session lives', { timeout: 60_000 }, async (t) => {
  const client = await Http2.open(t);
  const before = Number(await server.fetch('/memory'));
  const streams = [];
  for (let i = 0; i < 20; i += 1) streams.push(await client.events('/big'));
  for (const { stream } of streams) stream.pause();
  await client.ask('POST', streams[0].path, { body: invocation('Shout', [500_000]) });
  await server.counted(0, 'big', 30_000);
  // What is on its way may stay, the half megabyte that waits for each must not.
  const kept = async () => Number(await server.fetch('/memory')) - before;
  await until(SOON, 'the memory to be given back', async () => (await kept()) < 20 * 50_000);
  client.session.destroy();
  await gone();
});

/** The official client, which trusts the test server. */
class Trusting extends WebSocket {
  constructor(url, protocols, options) {
    super(url, protocols, { ...options, rejectUnauthorized: false });
  }
}

test('a WebSocket over TLS', async () => {
  const connection = new signalr.HubConnectionBuilder()
    .withUrl(`${url}/hub`, { transport: signalr.HttpTransportType.WebSockets, skipNegotiation: true, WebSocket: Trusting })
    .configureLogging(signalr.LogLevel.None)
    .build();
  await within(SOON, connection.start(), 'the start of a connection');
  const id = await connection.invoke('ConnectionId');
  assert.equal((await connection.invoke('Echo', 'x'.repeat(20_000))).length, 20_000);
  await connection.stop();
  assert.deepEqual(await server.ending(id), { transport: 'WebSockets', reason: 'client closed' });
  await gone();
});

test('a WebSocket over TLS whose socket is destroyed', async (t) => {
  const socket = new Trusting(`${url.replace('https', 'wss')}/fast`);
  t.after(() => socket.terminate());
  await within(SOON, once(socket, 'open'), 'a WebSocket to open');
  const answer = once(socket, 'message');
  socket.send(HANDSHAKE);
  await within(SOON, answer, 'a handshake');
  await server.counted(1, 'fast');
  socket._socket.destroy();
  await server.logged(/connection closed.*hub="fast".*transport="WebSockets".*reason=network lost/);
  await gone();
});

for (const [scheme, address] of [['wss', url], ['ws', server.url]]) {
  test(`the system cuts a client that takes nothing (${scheme})`, { timeout: 90_000 }, async (t) => {
    const socket = new Trusting(`${address.replace('http', 'ws')}/big`);
    t.after(() => socket.terminate());
    await within(SOON, once(socket, 'open'), 'a WebSocket to open');
    const answer = once(socket, 'message');
    socket.send(HANDSHAKE);
    await within(SOON, answer, 'a handshake');
    socket._socket.pause();
    // More than the kernels take: the server is left with what it cannot send, and would keep the socket for ever.
    socket.send(invocation('BroadcastBig', [16 << 20, 4], '1'));
    await server.counted(0, 'big', 30_000);
    await until(30_000, 'the socket to be given back', () => server.sockets(Number(new URL(address).port)) === 0);
    assert.equal(socket.readyState, WebSocket.OPEN, 'the client has not read of it yet');
  });
}

test('a page in Chromium: an event stream over HTTP/2, and a WebSocket', { skip, timeout: 60_000 }, async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(`${url}/count/hub`);
  await page.addScriptTag({ path: new URL('node_modules/@microsoft/signalr/dist/browser/signalr.js', import.meta.url).pathname });
  for (const transport of ['ServerSentEvents', 'LongPolling', 'WebSockets']) {
    const { id, protocols } = await page.evaluate(async (transport) => {
      performance.clearResourceTimings();
      const connection = new signalR.HubConnectionBuilder()
        .withUrl('/hub', { transport: signalR.HttpTransportType[transport] })
        .build();
      await connection.start();
      const id = await connection.invoke('ConnectionId');
      await connection.stop();
      // A poll that was left has none.
      const protocols = performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol).filter(Boolean);
      return { id, protocols: [...new Set(protocols)] };
    }, transport);
    assert.deepEqual(protocols, ['h2'], transport);
    assert.equal((await server.ending(id)).transport, transport);
  }
  await browser.close();
  await gone();
});
