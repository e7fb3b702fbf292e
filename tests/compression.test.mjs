// permessage-deflate between the echo example and clients that others wrote.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';

import WebSocket from 'ws';

import { launch as launchChromium, launchFirefox, skip as skipChromium, skipFirefox } from './kit/browser.mjs';
import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { ServerProcess } from './kit/process.mjs';
import { RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, within } from './kit/within.mjs';

const LIMIT = 1 << 20;

const server = await ServerProcess.start('echo', { COMPRESSION: 'on', MAX_MESSAGE_SIZE: String(LIMIT) });
const plain = await ServerProcess.start('echo');
after(() => Promise.all([server.stop(), plain.stop()]));

/** A client that offers what `perMessageDeflate` says, and the bytes that its socket has read. */
async function connect(t, perMessageDeflate, to = server) {
  const socket = new WebSocket(`${to.url.replace('http', 'ws')}/echo`, { perMessageDeflate });
  t.after(() => socket.terminate());
  const [response] = await within(SOON, once(socket, 'upgrade'), 'an upgrade');
  if (socket.readyState !== WebSocket.OPEN) await within(SOON, once(socket, 'open'), 'a WebSocket to open');
  return { socket, granted: response.headers['sec-websocket-extensions'] };
}

async function echo(socket, message) {
  const before = socket._socket.bytesRead;
  const answer = once(socket, 'message');
  socket.send(message);
  const [data, isBinary] = await within(SOON, answer, 'an echo');
  return { back: isBinary ? data : data.toString(), bytes: socket._socket.bytesRead - before };
}

const json = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => ({ user: `user ${i}`, text: 'hello, world' })));

const OFFERS = {
  'what browsers offer': [{}, 'permessage-deflate; server_no_context_takeover'],
  'a client that forgets': [{ clientNoContextTakeover: true }, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
  'small windows': [
    { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
    'permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9',
  ],
};

for (const [name, [offer, expected]] of Object.entries(OFFERS)) {
  test(`${name}: long messages are short on the wire, both ways`, async (t) => {
    const { socket, granted } = await connect(t, { ...offer, threshold: 0 });
    assert.equal(granted, expected);
    for (const message of [json, 'short', '', Buffer.from(json), json.repeat(10)]) {
      const { back, bytes } = await echo(socket, message);
      assert.deepEqual(back, message);
      if (message.length > 1_000) assert.ok(bytes < message.length / 4, `${bytes} of ${message.length} bytes`);
    }
  });
}

test('who does not offer compression, or asks where it is off, gets none', async (t) => {
  for (const { socket, granted } of [await connect(t, false), await connect(t, {}, plain)]) {
    assert.equal(granted, undefined);
    const { back, bytes } = await echo(socket, json);
    assert.equal(back, json);
    assert.ok(bytes > json.length);
  }
});

test('a message in many compressed fragments is one', async (t) => {
  const { socket } = await connect(t, { threshold: 0 });
  const answer = once(socket, 'message');
  for (let at = 0; at < json.length; at += 1_000) {
    socket.send(json.slice(at, at + 1_000), { fin: at + 1_000 >= json.length, compress: true });
  }
  assert.equal((await within(SOON, answer, 'an echo'))[0].toString(), json);
});

test('a bomb ends its sender and nobody else', async (t) => {
  const [bomber, other] = [await connect(t, {}), await connect(t, {})];
  const before = server.peakRss();
  // 64 MiB that are 64 KiB on the wire.
  bomber.socket.send(Buffer.alloc(64 << 20));
  const [code] = await within(SOON, once(bomber.socket, 'close'), 'the end of the sender');
  assert.equal(code, 1009);
  await server.logged(/message too big/);
  assert.ok(server.peakRss() - before < 16, `${server.peakRss() - before} MiB`);
  assert.equal((await echo(other.socket, json)).back, json);
});

test('a compressed frame that was not agreed on breaks the rules', async (t) => {
  const client = await FrameSocket.open(t, server, '/echo');
  const compressed = frame('x');
  compressed[0] |= 0x40;
  client.write(compressed);
  assert.equal((await client.received(OPCODE.close)).length > 0, true);
  await client.close();
});

test('a hub compresses what it sends, but for methods that must not be', async (t) => {
  const hubs = await TestServer.start();
  t.after(() => hubs.stop());
  const client = await RawClient.connect(t, `${hubs.url}/compressed`);
  assert.match(client.socket.extensions, /^permessage-deflate/);
  const text = 'a'.repeat(10_000);
  const cost = async (method) => {
    const before = client.socket._socket.bytesRead;
    client.send(invocation(method, [text], '1'));
    let message = await client.messages.next();
    let heard = message.arguments?.[0];
    while (message.type !== 3) message = await client.messages.next();
    heard ??= message.result;
    assert.equal(heard, text);
    return client.socket._socket.bytesRead - before;
  };
  for (const method of ['SendCaller', 'Echo']) assert.ok((await cost(method)) < 1_000, method);
  for (const method of ['SendSecret', 'Reveal']) assert.ok((await cost(method)) > text.length, method);
});

/** What a page agrees on, and whether a message that it sends comes back. */
async function agreement(browser) {
  const page = await browser.newPage();
  await page.goto(server.url);
  return page.evaluate(async (text) => {
    const socket = new WebSocket(`ws://${location.host}/echo`);
    await new Promise((resolve) => (socket.onopen = resolve));
    const answer = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
    socket.send(text);
    return [socket.extensions, (await answer) === text];
  }, json);
}

for (const [name, launch, skip] of [['Chromium', launchChromium, skipChromium], ['Firefox', launchFirefox, skipFirefox]]) {
  test(`${name} agrees on it`, { skip, timeout: 60_000 }, async (t) => {
    const browser = await launch();
    t.after(() => browser.close());
    const [extensions, isSame] = await agreement(browser);
    // Firefox says no more than the name.
    assert.match(extensions, /^permessage-deflate\b/);
    assert.ok(isSame);
  });
}
