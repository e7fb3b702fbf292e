// What the server does with a client that says too little, at the clock of /fast: handshake 2 s, client timeout 3 s, keep-alive 1 s.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { BROKEN, END, RawClient } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { until } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());
const url = `${server.url}/fast`;

test('a client that never shakes hands is told and closed', async (t) => {
  const client = await RawClient.open(t, url);
  assert.deepEqual(await client.messages.next(), { error: 'Handshake was canceled.' });
  assert.equal(await client.close(), 1000);
});

test('half a handshake is none', async (t) => {
  const client = await RawClient.open(t, url);
  client.send('{"protocol":"json",');
  assert.deepEqual(await client.messages.next(), { error: 'Handshake was canceled.' });
  await client.close();
});

test('a client that pinged once and fell silent is closed and may come back', async (t) => {
  const client = await RawClient.connect(t, url);
  const id = await client.connectionId();
  client.send(`{"type":6}${END}`);
  assert.deepEqual(await client.messages.next(15_000), BROKEN);
  assert.equal(await client.close(), 1000);
  assert.equal(await server.farewell(id), 'client timeout');
});

test('a client that never pinged is not held to it', async (t) => {
  const client = await RawClient.connect(t, url);
  // Six pings of the server, one each second, are twice the client timeout.
  await until(20_000, 'six pings', () => client.pings >= 6);
  assert.equal(client.socket.readyState, client.socket.OPEN);
});

test('a client that pings may wait for an answer as long as it likes', async (t) => {
  const client = await RawClient.connect(t, url);
  const pings = setInterval(() => client.send(`{"type":6}${END}`), 1_000);
  t.after(() => clearInterval(pings));
  client.send(`{"type":1,"invocationId":"1","target":"Slow","arguments":[5000,"done"]}${END}`);
  assert.deepEqual(await client.messages.next(15_000), { type: 3, invocationId: '1', result: 'done' });
});
