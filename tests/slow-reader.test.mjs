// A client that takes a large message slowly but steadily is healthy, and stays.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';

const MIB = 1024 * 1024;
/** At 64 KiB every 50 ms this takes longer than `transport_send_timeout`, after which a client that takes nothing is cut. */
const SIZE = 16 * MIB;
const PACE = 50;

const server = await TestServer.start();
after(() => server.stop());

test('a large message to a slow reader arrives, and so does what is sent meanwhile', { timeout: 120_000 }, async (t) => {
  const slow = await FrameSocket.open(t, server, '/big');
  slow.write(frame(HANDSHAKE));
  await slow.received(OPCODE.text, /^\{\}/);
  const sender = await RawClient.connect(t, `${server.url}/big`);
  await server.counted(2, 'big');

  slow.socket.pause();
  const reading = setInterval(() => slow.socket.once('data', () => slow.socket.pause()).resume(), PACE);
  t.after(() => clearInterval(reading));
  const started = Date.now();
  sender.send(invocation('BroadcastBig', [SIZE, 1]));
  assert.equal((await sender.messages.next(60_000)).target, 'Big');
  sender.send(invocation('SendAll', ['meanwhile']));

  const big = await slow.received(OPCODE.text, /"target":"Big"/, 100_000);
  assert.ok(big.length > SIZE);
  assert.ok(Date.now() - started > 11_000, 'it was read faster than this test is about');
  await slow.received(OPCODE.text, /"meanwhile"/);
  slow.write(frame(invocation('Echo', ['still here'], '1')));
  await slow.received(OPCODE.text, /"result":"still here"/);
});
