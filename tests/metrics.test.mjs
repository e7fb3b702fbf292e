// What is counted, read where an operator would: in Prometheus's format.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

/** The value of the first series of `name` that has all these tags. */
async function value(name, ...tags) {
  const lines = (await server.fetch('/metrics')).split('\n');
  const line = lines.find((line) => line.startsWith(`${name}{`) && tags.every((tag) => line.includes(tag)));
  return line && Number(line.split(' ').at(-1));
}

const becomes = (expected, name, ...tags) =>
  until(SOON, `${name} to become ${expected}`, async () => (await value(name, ...tags)) === expected);

test('connections are counted by transport while they last, and by reason when they end', async (t) => {
  const socket = [`hub="big"`, `signalr_transport="web_sockets"`];
  const client = await RawClient.connect(t, `${server.url}/big`);
  await becomes(1, 'signalr_server_active_connections', ...socket);
  assert.equal(await value('hubwire_fallbacks', ...socket), undefined);
  client.socket.close();
  await becomes(0, 'signalr_server_active_connections', ...socket);
  await becomes(1, 'hubwire_disconnects', ...socket, 'reason="client_closed"');
  await becomes(1, 'signalr_server_connection_duration_count', ...socket, 'signalr_connection_status="normal_closure"');

  const { connectionToken } = JSON.parse(await server.fetch('/big/negotiate?negotiateVersion=1', { method: 'POST' }));
  const url = `${server.url}/big?id=${connectionToken}`;
  await fetch(url);
  await becomes(1, 'hubwire_fallbacks', 'hub="big"', 'signalr_transport="long_polling"');
  await fetch(url, { method: 'POST', body: HANDSHAKE });
  assert.equal(await value('hubwire_received_bytes', 'hub="big"', 'long_polling'), HANDSHAKE.length);
  assert.equal((await (await fetch(url)).text()).length, 3);
  await becomes(3, 'hubwire_sent_bytes', 'hub="big"', 'long_polling');
});

test('calls are counted by method, and what is none shares one tag', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/hub`);
  for (const name of ['Echo', 'echo', 'Nonsense1', 'Nonsense2']) {
    client.send(invocation(name, ['x'], name));
    await client.messages.next();
  }
  assert.equal(await value('hubwire_invocations', 'hub="hub"', 'method="Echo"'), 2);
  assert.equal(await value('hubwire_invocations', 'hub="hub"', 'method="unknown"'), 2);
  assert.equal(await value('hubwire_invocation_errors', 'hub="hub"', 'method="unknown"'), 2);
  assert.equal(await value('hubwire_invocation_errors', 'hub="hub"', 'method="Echo"'), undefined);
  assert.ok(!(await server.fetch('/metrics')).includes('Nonsense'));
});

test('refusals are counted by reason', async () => {
  await fetch(`${server.url}/hub/negotiate`, { method: 'POST', headers: { origin: 'https://evil.example' } });
  await fetch(`${server.url}/members/negotiate`, { method: 'POST' });
  await fetch(`${server.url}/hub`, { headers: { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
  assert.equal(await value('hubwire_refusals', 'hub="hub"', 'reason="origin"'), 1);
  assert.equal(await value('hubwire_refusals', 'hub="big"', 'reason="identity"'), 1);
  assert.equal(await value('hubwire_refusals', 'hub="hub"', 'reason="lost_upgrade"'), 1);
});

test('what waits for clients can be watched', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/big`);
  client.socket.pause();
  client.send(invocation('BroadcastBig', [8 << 20, 1]));
  await until(SOON, 'a backlog', async () => {
    const workers = (await server.fetch('/metrics')).match(/^hubwire_backlog_bytes\{.*\} \d+$/gm) ?? [];
    return workers.some((line) => Number(line.split(' ').at(-1)) > 0);
  });
});
