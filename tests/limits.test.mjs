// Who is kept out, and what is told to whom: no place, no identity, an identity that expired, a request that takes too long.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import WebSocket from 'ws';

import { FrameSocket, OPCODE } from './kit/frames.mjs';
import { END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

const negotiate = (path, query = '') => fetch(`${server.url}${path}/negotiate?negotiateVersion=1${query}`, { method: 'POST' });

/** The URL of a connection that was negotiated and has no transport yet. */
async function negotiated(path, query = '') {
  const { connectionToken } = await (await negotiate(path, query)).json();
  return `${server.url}${path}?id=${connectionToken}${query}`;
}

/** What a request is refused with. */
async function refusal(request) {
  const { status, headers } = await request;
  return [status, headers.get('retry-after')];
}

/** The same for a WebSocket. */
async function socketRefusal(url) {
  const socket = new WebSocket(url.replace('http', 'ws'));
  socket.on('error', () => {});
  const [request, { statusCode, headers }] = await within(SOON, once(socket, 'unexpected-response'), 'a refusal');
  request.destroy();
  return [statusCode, headers['retry-after'] ?? null];
}

/** Tries until `url` takes a WebSocket: a place is free again a moment after its client has left. */
async function placeIsFree(t, url) {
  await until(SOON, `a place at ${url}`, () => RawClient.connect(t, url).catch(() => false));
}

test('an endpoint has as many connections as it may have', async (t) => {
  const url = `${server.url}/limited`;
  const late = await negotiated('/limited');
  const clients = [await RawClient.connect(t, url), await RawClient.connect(t, url)];
  assert.deepEqual(await refusal(negotiate('/limited')), [503, '5']);
  assert.deepEqual(await socketRefusal(url), [503, '5']);
  assert.deepEqual(await refusal(fetch(late)), [503, '5']);
  assert.deepEqual(await refusal(fetch(late, { headers: { accept: 'text/event-stream' } })), [503, '5']);
  await server.logged(/WARN.*refused a client.*max_connections \(2\) is reached/);
  // Another endpoint of the same hub has places of its own.
  await RawClient.connect(t, `${server.url}/big`);
  clients[0].socket.close();
  await placeIsFree(t, url);
});

test('a call that outlives its client keeps no place', async (t) => {
  const url = `${server.url}/limited`;
  await placeIsFree(t, url);
  const other = await RawClient.connect(t, url);
  assert.equal((await socketRefusal(url))[0], 503);
  other.send(invocation('Slow', [8_000, 'too late'], '1'));
  other.send(invocation('Echo', ['behind it'], '2'));
  other.socket.terminate();
  await placeIsFree(t, url);
});

test('an address has as many connections as it may have', async (t) => {
  const url = `${server.url}/neighbours`;
  const [first] = [await RawClient.connect(t, url), await RawClient.connect(t, url)];
  assert.deepEqual(await socketRefusal(url), [429, '5']);
  assert.equal((await negotiate('/neighbours')).status, 200);
  // Whoever claims another address without a proxy that says so is not believed.
  const response = await fetch(await negotiated('/neighbours'), { headers: { 'x-forwarded-for': '10.9.8.7' } });
  assert.equal(response.status, 429);
  first.socket.close();
  await placeIsFree(t, url);
});

test('only so many clients may be about to come', async (t) => {
  const urls = [await negotiated('/crowded'), await negotiated('/crowded')];
  assert.deepEqual(await refusal(negotiate('/crowded')), [503, '5']);
  await RawClient.connect(t, urls[0]);
  assert.equal((await negotiate('/crowded')).status, 200);
  assert.equal((await negotiate('/crowded')).status, 503);
});

test('where a user is required, nobody else comes in', async (t) => {
  const stranger = await negotiated('/members', '&user=ann');
  const url = stranger.replace('&user=ann', '');
  for (const request of [
    negotiate('/members'),
    fetch(url),
    fetch(url, { headers: { accept: 'text/event-stream' } }),
    // Not even that there is nothing to be had this way.
    fetch(`${server.url}/members`),
    fetch(`${server.url}/members`, { method: 'POST', body: HANDSHAKE }),
    fetch(`${server.url}/members?id=unknown`, { method: 'DELETE' }),
    fetch(`${server.url}/members/negotiate`),
    fetch(url, { headers: { 'sec-websocket-key': 'no key' } }),
    fetch(`${server.url}/members`, { method: 'PATCH' }),
  ]) {
    const response = await request;
    assert.deepEqual([response.status, response.statusText, await response.text()], [401, 'Unauthorized', 'Unauthorized']);
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
  }
  assert.equal((await socketRefusal(`${server.url}/members`))[0], 401);
  assert.equal((await socketRefusal(url))[0], 401);
  // The token is still good for the user, so nothing was stored for the stranger.
  await RawClient.connect(t, stranger);
  const polled = await negotiated('/members', '&user=ann');
  assert.equal((await fetch(polled)).status, 200);
  const anonymous = polled.replace('&user=ann', '');
  for (const init of [{}, { method: 'POST', body: HANDSHAKE }, { method: 'DELETE' }]) {
    assert.equal((await fetch(anonymous, init)).status, 401);
  }
});

test('a hub with authorization lets in whom it names, over every transport', async (t) => {
  const ask = async (query, init) => (await fetch(`${server.url}/wiki/negotiate?negotiateVersion=1${query}`, { method: 'POST', ...init })).status;
  assert.deepEqual(await Promise.all(['', '&user=ann', '&user=ann&role=reader'].map((query) => ask(query))), [401, 403, 200]);
  assert.equal((await socketRefusal(`${server.url}/wiki`))[0], 401);
  assert.equal((await socketRefusal(`${server.url}/wiki?user=ann`))[0], 403);
  const polled = await negotiated('/wiki', '&user=ann&role=reader');
  assert.equal((await fetch(polled.replace('reader', 'none'))).status, 403);
  assert.equal((await fetch(polled)).status, 200);

  const reader = await RawClient.connect(t, `${server.url}/wiki?user=ann&role=reader`);
  reader.send(invocation('Read', [], '1'));
  reader.send(invocation('Write', [], '2'));
  assert.deepEqual(await reader.messages.take(2), [
    { type: 3, invocationId: '1', result: 'text' },
    { type: 3, invocationId: '2', error: "Failed to invoke 'Write' because user is unauthorized" },
  ]);
});

test('a connection ends with the identity that it was opened with', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/expiring?user=ann&ttl=2`);
  const id = await client.connectionId();
  assert.deepEqual(await client.messages.next(), { type: 7, allowReconnect: true });
  assert.equal(await client.close(), 1000);
  assert.equal(await server.farewell(id), 'token expired');
});

test('a poll with a fresh identity keeps a connection, and it ends with that', async () => {
  const stale = await negotiated('/expiring', '&user=ann&ttl=2');
  const fresh = stale.replace('ttl=2', 'ttl=1000');
  assert.equal((await fetch(stale)).status, 200);
  await fetch(fresh, { method: 'POST', body: HANDSHAKE });
  // Each poll takes a second at most, so four of them outlive the first identity.
  let said = '';
  for (let i = 0; i < 4; i += 1) said += await (await fetch(fresh)).text();
  assert.equal(said, `{}${END}`);
  await fetch(stale, { method: 'POST', body: invocation('Nothing', []) });
  await until(SOON, 'the end', async () => (said += await (await fetch(stale.replace('ttl=2', 'ttl=0'))).text()).includes('"type":7'));
});

test('a POST that drips is given up, and its connection goes on', async (t) => {
  const url = new URL(await negotiated('/raw'));
  assert.equal((await fetch(url)).status, 200);
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes));
  socket.write(`POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`);
  const drip = setInterval(() => socket.write('x'), 100);
  t.after(() => clearInterval(drip));
  await until(SOON, 'a drip to be given up', () => answer.startsWith('HTTP/1.1 408 '));
  assert.equal((await fetch(url, { method: 'POST', body: 'whole' })).status, 200);
  assert.equal(await (await fetch(url)).text(), 'whole');
});

test('a quiet event stream shows that it lives', async (t) => {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const url = await negotiated('/raw');
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
  let text = '';
  const read = (async () => {
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  })();
  read.catch(() => {});
  await until(SOON, 'three comments', () => text === ':\r\n'.repeat(3));
  await fetch(url, { method: 'POST', body: 'hello' });
  await until(SOON, 'an event', () => text.endsWith('data: hello\r\n\r\n'));
});

test('so does a quiet WebSocket without a hub', async (t) => {
  const client = await FrameSocket.open(t, server, '/raw');
  await until(SOON, 'three pings', () => client.frames.filter(({ opcode }) => opcode === OPCODE.ping).length === 3);
});
