// SIGTERM with many clients, slow clients and polls: everyone is told, one after another, and nothing that waits is cut.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';

import { END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until, within } from './kit/within.mjs';

/** Each test ends a server, so each has its own. */
async function start(t) {
  const server = await TestServer.start();
  t.after(() => server.stop());
  return server;
}

/** A long-polling connection that has shaken hands. */
async function poller(server) {
  const { connectionToken } = JSON.parse(await server.fetch('/hub/negotiate?negotiateVersion=1', { method: 'POST' }));
  const url = `${server.url}/hub?id=${connectionToken}`;
  await fetch(url);
  await fetch(url, { method: 'POST', body: HANDSHAKE });
  assert.equal(await (await fetch(url)).text(), `{}${END}`);
  return url;
}

test('clients are sent away one after another', { timeout: 60_000 }, async (t) => {
  const server = await start(t);
  const clients = [];
  for (let i = 0; i < 20; i += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(t, `${server.url}/hub`)))));
  }
  const left = clients.map((client) => client.messages.next());
  server.terminate();
  assert.deepEqual(await within(SOON, Promise.race(left), 'the first farewell'), { type: 7, allowReconnect: true });
  // While the first are gone, others are still served: each answer to a call came before that client's own farewell.
  clients.forEach((client, index) => client.socket.send(invocation('Echo', [index], 'late')));
  const heard = await within(SOON, Promise.all(left), 'all farewells');
  assert.ok(heard.some(({ type }) => type === 3), 'nobody was served while others were sent away');
  assert.deepEqual(await server.ended(), { code: 0, signal: null });
});

test('a parked poll is answered, and the next one told that it is over', async (t) => {
  const server = await start(t);
  const url = await poller(server);
  const poll = fetch(url);
  await fetch(url, { method: 'POST', body: invocation('Nothing', [], '1') });
  assert.match(await (await poll).text(), /"invocationId":"1"/);
  const parked = fetch(url);
  server.terminate();
  const answer = await within(SOON, parked, 'the answer to a parked poll');
  const body = await answer.text();
  // The poll may come behind the signal, then it is the one that brings the farewell; nobody is cut.
  assert.equal(body, `{"type":7,"allowReconnect":true}${END}`);
  assert.equal((await within(SOON, fetch(url), 'the last poll')).status, 204);
  assert.deepEqual(await server.ended(), { code: 0, signal: null });
});

/** How long the message is that `stalled` waits for. */
const LENGTH = 8 << 20;

/** A client that does not read, with more waiting for it than the network takes; a server that goes down waits for it. */
async function stalled(t, server) {
  const client = await RawClient.connect(t, `${server.url}/big`);
  client.socket.pause();
  client.send(invocation('BroadcastBig', [LENGTH, 1]));
  await until(SOON, 'the broadcast to be sent', async () => Number(await server.fetch('/memory')) > LENGTH);
  return client;
}

test('what waits for a slow client goes out before its farewell', { timeout: 60_000 }, async (t) => {
  const server = await start(t);
  const client = await stalled(t, server);
  const witness = await RawClient.connect(t, `${server.url}/big`);
  server.terminate();
  await witness.messages.next();
  client.socket.resume();
  const broadcast = await client.messages.next();
  assert.equal(broadcast.arguments[0].length, LENGTH);
  const rest = [await client.messages.next(), await client.messages.next().catch(() => null)];
  assert.deepEqual(rest.filter((message) => message?.type === 7), [{ type: 7, allowReconnect: true }]);
  assert.deepEqual(await server.ended(), { code: 0, signal: null });
});

test('a POST that does not arrive keeps no server', { timeout: 30_000 }, async (t) => {
  const server = await start(t);
  const url = new URL(await poller(server));
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes)).on('error', () => {});
  socket.write(`POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n`);
  await until(SOON, 'the POST to have its turn', () => answer.startsWith('HTTP/1.1 100 '));
  server.terminate();
  await until(SOON, 'an answer', () => answer.includes('HTTP/1.1 404 '));
  assert.deepEqual(await server.ended(), { code: 0, signal: null });
});

test('nobody new comes in, and the load balancer is told', async (t) => {
  const server = await start(t);
  assert.equal(await server.fetch('/ready'), 'ready');
  const client = await stalled(t, server);
  const witness = await RawClient.connect(t, `${server.url}/big`);
  server.terminate();
  await witness.messages.next();
  const ready = await fetch(`${server.url}/ready`);
  assert.deepEqual([ready.status, await ready.text()], [503, 'draining']);
  const refusal = await fetch(`${server.url}/hub/negotiate`, { method: 'POST' });
  assert.deepEqual([refusal.status, refusal.headers.get('retry-after')], [503, '5']);
  client.socket.resume();
  assert.deepEqual(await server.ended(), { code: 0, signal: null });
});
