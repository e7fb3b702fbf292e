// Server-Sent Events as they are on the wire: one stream down, a POST for everything up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import * as signalr from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

import { END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

/** A stream of a connection of its own, read by hand. */
class EventStream {
  #text = '';

  static async open(t, { path = '/hub', query = '' } = {}) {
    const stream = new EventStream();
    const answer = await server.fetch(`${path}/negotiate?negotiateVersion=1${query}`, { method: 'POST' });
    stream.token = JSON.parse(answer).connectionToken;
    stream.url = `${server.url}${path}?id=${stream.token}${query}`;
    await stream.#connect(t);
    return stream;
  }

  async #connect(t) {
    this.abort = new AbortController();
    t.after(() => this.abort.abort());
    this.response = await fetch(this.url, { headers: { accept: 'text/event-stream' }, signal: this.abort.signal });
    this.ended = this.#read().catch(() => {});
  }

  async #read() {
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body) this.#text += decoder.decode(chunk, { stream: true });
  }

  get text() {
    return this.#text;
  }

  received(pattern, ms = SOON) {
    return until(ms, `an event like ${pattern}`, () => pattern.test(this.#text));
  }

  async post(body, init = {}) {
    const response = await fetch(this.url, { method: 'POST', body, ...init });
    return [response.status, await response.text()];
  }

  /** The handshake, and the public id. */
  async shake() {
    assert.deepEqual(await this.post(HANDSHAKE + invocation('ConnectionId', [], '1')), [200, '']);
    await this.received(/"type":3/);
    return JSON.parse(this.#text.match(/\{"type":3[^\x1e]*\}/)[0]).result;
  }
}

test('the stream opens at once and nobody on the way holds it back', async (t) => {
  const stream = await EventStream.open(t);
  assert.equal(stream.response.status, 200);
  const header = (name) => stream.response.headers.get(name);
  assert.equal(header('content-type'), 'text/event-stream');
  assert.match(header('cache-control'), /no-cache.*no-transform/);
  assert.equal(header('content-encoding'), 'identity');
  assert.equal(header('x-accel-buffering'), 'no');
  await stream.received(/^:\r\n$/);
});

test('a message is an event', async (t) => {
  const stream = await EventStream.open(t);
  await stream.post(HANDSHAKE);
  await stream.received(/^:\r\ndata: \{\}\x1e\r\n\r\n$/);
  await stream.post(invocation('Echo', ['a\nb'], '1') + invocation('Echo', ['c'], '2'));
  await stream.received(/data: \{"type":3,"invocationId":"1","result":"a\\nb"\}\x1e\r\n\r\ndata: \{"type":3,"invocationId":"2","result":"c"\}\x1e\r\n\r\n$/);
});

test('a message may be torn over POSTs', async (t) => {
  const stream = await EventStream.open(t);
  const text = HANDSHAKE + invocation('Echo', ['whole'], '1');
  for (let at = 0; at < text.length; at += 10) {
    assert.deepEqual(await stream.post(text.slice(at, at + 10), { headers: { 'content-type': 'x/y' } }), [200, '']);
  }
  await stream.received(/"result":"whole"/);
});

test('a large message arrives whole', async (t) => {
  const stream = await EventStream.open(t, { path: '/big' });
  await stream.shake();
  await stream.post(invocation('BroadcastBig', [1_000_000, 3], '2'));
  await stream.received(/"invocationId":"2"/, 30_000);
  assert.deepEqual(stream.text.match(/x{1000000}"\]\}\x1e\r\n\r\n/g).length, 3);
});

test('a stream that the client leaves is a lost network', async (t) => {
  const stream = await EventStream.open(t);
  const id = await stream.shake();
  stream.abort.abort();
  assert.equal(await server.farewell(id), 'network lost');
  assert.deepEqual(await stream.post('x'), [404, 'No Connection with that ID']);
});

test('a Close message ends the stream, and with it the connection', async (t) => {
  const stream = await EventStream.open(t);
  const id = await stream.shake();
  await stream.post(`{"type":7}${END}`);
  await within(SOON, stream.ended, 'the end of the stream');
  assert.equal(await server.farewell(id), 'client closed');
});

test('a connection has one stream and one transport', async (t) => {
  const stream = await EventStream.open(t);
  const id = await stream.shake();
  const again = await fetch(stream.url, { headers: { accept: 'text/event-stream' } });
  assert.equal(again.status, 409);
  const poll = await fetch(stream.url);
  assert.deepEqual([poll.status, await poll.text()], [400, 'Cannot change transports mid-connection']);
  const remove = await fetch(stream.url, { method: 'DELETE' });
  assert.deepEqual([remove.status, await remove.text()], [400, 'Cannot terminate this connection using the DELETE endpoint.']);
  await assert.rejects(RawClient.connect(t, stream.url), /400/);
  assert.deepEqual(await server.story(id), ['connected']);
});

test('a stream needs an id that was given out', async () => {
  for (const [query, status] of [['', 400], ['?id=', 400], ['?id=nobody', 404]]) {
    const response = await fetch(`${server.url}/hub${query}`, { headers: { accept: 'text/event-stream' } });
    assert.equal(response.status, status, query);
  }
});

test('nobody speaks for another user', async (t) => {
  const stream = await EventStream.open(t, { query: '&user=ann' });
  await stream.shake();
  const response = await fetch(stream.url.replace('user=ann', 'user=bob'), { method: 'POST', body: invocation('Echo', ['x'], '9') });
  assert.equal(response.status, 403);
  await stream.post(invocation('WhoAmI', [], '2'));
  await stream.received(/"result":"ann"/);
  assert.doesNotMatch(stream.text, /"invocationId":"9"/);
});

test('a POST that is larger than may be ends the connection', async (t) => {
  const stream = await EventStream.open(t);
  const id = await stream.shake();
  const [status] = await stream.post('x'.repeat(2 << 20));
  assert.equal(status, 413);
  await stream.received(/"type":7,"error":"Connection closed with an error\.","allowReconnect":true/);
  assert.match(await server.farewell(id), /^message too big: /);
});

test('an answer that comes before a body was sent reaches its client', { timeout: 60_000 }, async () => {
  // A reset in its place would be seen as an error, but not every time.
  for (let round = 0; round < 10; round += 1) {
    for (const [path, status] of [['/hub?id=unknown', 404], ['/hub', 400], ['/members?id=unknown', 401]]) {
      const response = await fetch(server.url + path, { method: 'POST', body: Buffer.alloc(8 << 20) });
      assert.deepEqual([response.status, (await response.text()).length > 0], [status, true], path);
    }
    const { connectionToken } = JSON.parse(await server.fetch('/raw/negotiate?negotiateVersion=1', { method: 'POST' }));
    const url = `${server.url}/raw?id=${connectionToken}`;
    await server.fetch(`/raw?id=${connectionToken}`);
    assert.equal((await fetch(url, { method: 'POST', body: Buffer.alloc(8 << 20) })).status, 413);
  }
});

test('a POST that breaks off leaves nothing behind', async (t) => {
  const stream = await EventStream.open(t);
  await stream.shake();
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  await within(SOON, once(socket, 'connect'), 'a connection');
  const body = invocation('Echo', ['half'], '2');
  socket.write(`POST /hub?id=${stream.token} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 30)}`);
  socket.end();
  await within(SOON, once(socket.resume(), 'close'), 'the end of the half request');
  await stream.post(invocation('Echo', ['whole'], '3'));
  await stream.received(/"result":"whole"/);
  assert.doesNotMatch(stream.text, /half/);
});

test('too many POSTs at once are sent away', async (t) => {
  const stream = await EventStream.open(t, { path: '/big' });
  await stream.shake();
  await stream.post(invocation('Slow', [2_000, 'first'], '2'));
  await stream.post(invocation('Echo', ['x'.repeat(70_000)], '3'));
  const statuses = (await Promise.all(Array.from({ length: 40 }, () => stream.post(invocation('Nothing', []))))).map(([status]) => status);
  assert.deepEqual(new Set(statuses), new Set([200, 429]));
  assert.ok(statuses.filter((status) => status === 200).length >= 16);
  await stream.received(/"result":"x+"/);
});

test('a client that is served more slowly than it posts waits with its POST', async (t) => {
  const stream = await EventStream.open(t, { path: '/big' });
  const id = await stream.shake();
  // The call runs until its client is gone, so what comes behind it waits.
  await stream.post(invocation('Slow', [3_000, 'first'], '2'));
  const bulk = invocation('Echo', ['x'.repeat(40_000)], '3');
  const answered = [];
  const posts = [1, 2, 3, 4].map((n) => stream.post(bulk).then(() => answered.push(n)));
  await stream.received(/"result":"first"/);
  await within(SOON, Promise.all(posts), 'the POSTs that waited');
  await until(SOON, 'four answers', () => stream.text.match(/"invocationId":"3"/g)?.length === 4);
  assert.deepEqual(await server.story(id), ['connected']);
});

test('a binary protocol is refused with the sentence of the official server', async (t) => {
  const stream = await EventStream.open(t);
  assert.deepEqual(await stream.post(`{"protocol":"messagepack","version":1}${END}`), [200, '']);
  await stream.received(
    /\{"error":"Cannot use the 'messagepack' protocol on the current transport\. The transport does not support 'Binary' transfer format\."\}\x1e/,
  );
  await within(SOON, stream.ended, 'the end of the stream');
});

test('a client with a binary protocol passes event streams by', async (t) => {
  const { ServerSentEvents, LongPolling } = signalr.HttpTransportType;
  const client = (transport) => {
    const connection = new signalr.HubConnectionBuilder()
      .withUrl(`${server.url}/hub`, { transport })
      .withHubProtocol(new MessagePackHubProtocol())
      .configureLogging(signalr.LogLevel.None)
      .build();
    t.after(() => connection.stop());
    return connection;
  };
  await assert.rejects(within(SOON, client(ServerSentEvents).start(), 'a refusal'), /does not support Binary/);
  const polls = client(ServerSentEvents | LongPolling);
  await within(SOON, polls.start(), 'the start');
  assert.deepEqual(await within(SOON, polls.invoke('Echo', [1, 'two']), 'an answer'), [1, 'two']);
});
