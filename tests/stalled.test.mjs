// One client that never reads costs a broadcast neither its other receivers nor the server's memory.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';

const MIB = 1024 * 1024;
const EVENTS = 30;
/** Far below the 240 MiB that the stalled client was sent, above a few events on their way to the one that reads. */
const ALLOWANCE = 96;

const server = await TestServer.start();
after(() => server.stop());

test('a thousand broadcasts in one frame cost nobody who reads the connection', { timeout: 60_000 }, async (t) => {
  const readers = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(t, `${server.url}/big`)));
  const sender = await RawClient.connect(t, `${server.url}/big`);
  await server.counted(5, 'big');
  sender.send(invocation('Shout', [1000]).repeat(1_500));
  for (const client of [...readers, sender]) {
    for (let i = 0; i < 1_500; i += 1) assert.equal((await client.messages.next()).target, 'Big');
  }
  assert.equal(await server.count('big'), 5);
  for (const client of [...readers, sender]) client.socket.close(1000);
  await server.counted(0, 'big');
});

test(`${EVENTS} broadcasts of 8 MiB beside a client that never reads`, { timeout: 180_000 }, async (t) => {
  const stalled = await FrameSocket.open(t, server, '/big');
  stalled.write(frame(HANDSHAKE + invocation('ConnectionId', [], '1')));
  const id = JSON.parse((await stalled.received(OPCODE.text, /"type":3/)).match(/\{"type":3.*\}/)[0]).result;
  stalled.stall();
  const reader = await RawClient.connect(t, `${server.url}/big`);
  await server.counted(2, 'big');

  const before = server.peakRss();
  reader.send(invocation('BroadcastBig', [8 * MIB, EVENTS], '1'));
  for (let i = 0; i < EVENTS; i += 1) {
    const event = await reader.messages.next(120_000);
    assert.deepEqual([event.target, event.arguments.map((text) => text.length)], ['Big', [8 * MIB]]);
  }
  assert.deepEqual(await reader.messages.next(), { type: 3, invocationId: '1', result: null });
  assert.match(await server.farewell(id, 30_000), /^slow consumer: /);
  await server.counted(1, 'big');

  const grown = server.peakRss() - before;
  t.diagnostic(`the server's peak memory grew by ${grown.toFixed(1)} MiB, to ${server.peakRss().toFixed(1)} MiB`);
  assert.ok(grown < ALLOWANCE, `the server's peak memory grew by ${grown} MiB`);
});
