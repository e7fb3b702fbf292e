// Clients that break the rules, by accident or on purpose. One good client shares the server with all of them and must never notice.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';

import { plain } from './kit/clients.mjs';
import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { PackedClient, framed, packed } from './kit/packed.mjs';
import { BROKEN, END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, within } from './kit/within.mjs';

/** The default message limit, the separator included. */
const LIMIT = 32 * 1024;

const server = await TestServer.start();
const good = new Client(plain.builder(`${server.url}/hub`).build());
before(() => good.start());
after(async () => {
  await good.stop();
  await server.stop();
});

/** A test whose good neighbour keeps calling while the bad client does its worst. */
function beside(name, body) {
  test(name, async (t) => {
    let bad = 'at work';
    const work = body(t).finally(() => (bad = 'done'));
    // It is looked at below; until then a failure must not count as one that nobody looks at.
    work.catch(() => {});
    let calls = 0;
    do {
      assert.equal(await good.invoke('Add', calls, 1), (calls += 1));
    } while (bad === 'at work');
    await work;
    // After the hooks that close the bad client, which were registered earlier.
    t.after(() => server.counted(1));
  });
}

/** Handshakes that are refused, and what the client is told. */
const HANDSHAKES = [
  ['garbage', 'GET / HTTP/1.1', 'An unexpected error occurred during connection handshake.'],
  ['a JSON text that is no object', '[]', 'An unexpected error occurred during connection handshake.'],
  ['an object without a protocol', '{"version":1}', 'An unexpected error occurred during connection handshake.'],
  ['an object without a version', '{"protocol":"json"}', 'An unexpected error occurred during connection handshake.'],
  ['a version that is a text', '{"protocol":"json","version":"1"}', 'An unexpected error occurred during connection handshake.'],
  ['an unknown protocol', '{"protocol":"smoke","version":1}', "The protocol 'smoke' is not supported."],
  [
    'a version from the future',
    '{"protocol":"json","version":99}',
    "The server does not support version 99 of the 'json' protocol.",
  ],
  ['more than a handshake may be', ' '.repeat(LIMIT + 1), 'Handshake was canceled.'],
];

for (const [name, text, error] of HANDSHAKES) {
  beside(`instead of a handshake: ${name}`, async (t) => {
    const client = await RawClient.open(t, `${server.url}/hub`);
    client.send(text + END);
    assert.deepEqual(await client.messages.next(), { error });
    assert.equal(await client.close(), 1000);
  });
}

/** Messages that end the connection: what the client is told is the same for all, what the server is told is not. */
const MESSAGES = [
  ['no JSON', 'abc'],
  ['JSON that is cut off', '{"type":1,"target":"Echo"'],
  ['no object', '[1]'],
  ['no type', '{"target":"Echo","arguments":[]}'],
  ['a type that is a text', '{"type":"1","target":"Echo","arguments":[]}'],
  ['an invocation without a target', '{"type":1,"arguments":[]}'],
  ['an invocation without arguments', '{"type":1,"target":"Echo"}'],
  ['arguments that are no array', '{"type":1,"target":"Echo","arguments":{}}'],
  ['an invocation id that is a number', '{"type":1,"invocationId":1,"target":"Echo","arguments":["x"]}'],
  ['a completion without an id', '{"type":3,"result":1}'],
  ['a completion with a result and an error', '{"type":3,"invocationId":"s1","result":1,"error":"x"}'],
  ['one byte more than the limit', echoOf(LIMIT + 1)],
  ['40 KiB where 32 are allowed', echoOf(40 * 1024)],
];

for (const [name, text] of MESSAGES) {
  beside(`a message that breaks the rules: ${name}`, async (t) => {
    const client = await RawClient.connect(t, `${server.url}/hub`);
    const id = await client.connectionId();
    client.send(text + END);
    assert.deepEqual(await client.messages.next(), BROKEN);
    assert.equal(await client.close(), 1000);
    assert.match(await server.farewell(id), text.length < LIMIT ? /^bad message: ./ : /^message too big: .* 32768$/);
  });
}

/** An invocation of Echo that is, with its separator, `size` bytes long; returned without it. */
function echoOf(size) {
  const empty = invocation('Echo', [''], '1');
  return invocation('Echo', ['x'.repeat(size - empty.length)], '1').slice(0, -END.length);
}

beside('a message of exactly the limit passes', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/hub`);
  client.send(echoOf(LIMIT) + END);
  assert.equal((await client.messages.next()).invocationId, '1');
});

beside('a message without an end is given up at the limit', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/hub`);
  for (let sent = 0; sent <= LIMIT; sent += 1024) client.send('x'.repeat(1024));
  assert.deepEqual(await client.messages.next(), BROKEN);
  await client.close();
});

beside('JSON nested 100,000 deep', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/big`);
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  client.send(`{"type":1,"invocationId":"1","target":"Echo","arguments":[${deep}]}${END}`);
  assert.deepEqual(await client.messages.next(), BROKEN);
  await client.close();
});

/** The same in MessagePack, with the lengths: some break a rule with those. */
const PACKED = [
  ['nothing but a length', packed('00'), /^bad message: the message is empty$/],
  ['JSON', framed('\'{"type":6}\''), /^bad message: the message is not an array$/],
  ['a reserved byte', framed('c1'), /^bad message: ./],
  ['an array that is cut off', framed("95 01 80 c0 a4 'Echo'"), /^bad message: ./],
  ['bytes behind the message', framed('91 06 c0'), /^bad message: ./],
  ['an array of 2^32 items', framed('dd ff ff ff ff 01'), /^bad message: ./],
  ['headers that claim 2^32 entries', framed("95 01 df ff ff ff ff c0 a4 'Echo' 90"), /^bad message: ./],
  ['an argument that claims 2^32 entries', framed("95 01 80 c0 a4 'Echo' 91 df ff ff ff ff"), /^bad message: ./],
  ['an argument of 4 GiB', framed("95 01 80 c0 a4 'Echo' 91 c6 ff ff ff ff"), /^bad message: ./],
  ['arguments nested 65 deep', framed(`95 01 80 c0 a4 'Echo' ${'91'.repeat(64)} c0`), /^bad message: .* 64 levels$/],
  ['a type that is a text', framed("91 a1 '6'"), /^bad message: Reading 'messageType' as Int32 failed\.$/],
  ['no headers', framed("95 01 c0 c0 a4 'Echo' 90"), /^bad message: Reading map length for 'headers' failed\.$/],
  ['a header that is a number', framed("95 01 81 a1 'h' 07 c0 a4 'Echo' 90"), /^bad message: Reading 'headers\[0\]\.Value' as String failed\.$/],
  ['a header without a name', framed("95 01 81 a0 a1 'v' c0 a4 'Echo' 90"), /^bad message: Null or empty key in header\.$/],
  ['an invocation id that is a number', framed("95 01 80 07 a4 'Echo' 90"), /^bad message: Reading 'invocationId' as String failed\.$/],
  ['no target', framed('95 01 80 c0 c0 90'), /^bad message: Null or empty target for Invocation message\.$/],
  ['a target that is not UTF-8', framed('95 01 80 c0 a1 ff 90'), /^bad message: ./],
  ['arguments that are no array', framed("95 01 80 c0 a4 'Echo' 80"), /^bad message: Reading array length for 'arguments' failed\.$/],
  ['streams that are numbers', framed("96 01 80 c0 a4 'Echo' 90 91 01"), /^bad message: Reading 'streamIds' as String failed\.$/],
  ['a completion of a fourth kind', framed("94 03 80 a2 's1' 04"), /^bad message: Invalid invocation result kind\.$/],
  ['one byte more than the limit', packed('fe ff 01'), /^message too big: .* 32768$/],
  ['a length of 31 bits', packed('ff ff ff ff 07'), /^message too big: .* 32768$/],
  ['a length of 32 bits', packed('ff ff ff ff 0f'), /^bad message: Messages over 2GB in size are not supported\.$/],
  ['a length that does not end', packed('80 80 80 80 80'), /^bad message: Messages over 2GB in size are not supported\.$/],
];

for (const [name, bytes, reason] of PACKED) {
  beside(`a message of MessagePack that breaks the rules: ${name}`, async (t) => {
    const client = await PackedClient.connect(t, `${server.url}/hub`);
    const id = await client.connectionId();
    client.send(bytes);
    assert.deepEqual(await client.messages.next(), packed("93 07 d9 20 'Connection closed with an error.' c3"));
    assert.equal(await client.close(), 1000);
    assert.match(await server.farewell(id), reason);
  });
}

beside('MessagePack that later versions or other clients may write is understood', async (t) => {
  const client = await PackedClient.connect(t, `${server.url}/hub`);
  const answers = [
    ['without streams', "95 01 80 a1 '1' a4 'Echo' 91 a1 'x'", "95 03 80 a1 '1' 03 a1 'x'"],
    ['with none', "96 01 80 a1 '2' a4 'Echo' 91 a1 'x' 90", "95 03 80 a1 '2' 03 a1 'x'"],
    ['with more items', "98 01 81 a1 'h' a1 'v' a1 '3' a4 'Echo' 91 01 90 92 c0 80 a1 'y'", "95 03 80 a1 '3' 03 01"],
    ['in longer forms than needed', "dc 00 05 cd 00 01 de 00 00 d9 01 '4' d9 04 'Echo' dd 00 00 00 01 d3 00 00 00 00 00 00 00 05", "95 03 80 a1 '4' 03 05"],
  ];
  for (const ignored of ["93 2a 80 a1 'x'", '92 06 c0', "95 03 80 a6 'nobody' 03 01", "93 05 80 a6 'nobody'", "94 02 80 a6 'nobody' 01", '92 08 01']) {
    client.send(framed(ignored));
  }
  for (const [name, call, answer] of answers) {
    client.send(framed(call));
    assert.deepEqual(await client.messages.next(), packed(answer), name);
  }
  const id = await client.connectionId();
  client.send(framed('92 07 c0'));
  assert.equal(await client.close(), 1000);
  assert.equal(await server.farewell(id), 'client closed');
});

beside('several messages of MessagePack in one frame, and one over many', async (t) => {
  const client = await PackedClient.connect(t, `${server.url}/hub`);
  const calls = Buffer.concat([1, 2, 3].map((number) => framed(`95 01 80 a1 '${number}' a4 'Echo' 91 0${number}`)));
  client.send(calls);
  for (const byte of calls) client.send(Buffer.of(byte));
  for (const number of [1, 2, 3, 1, 2, 3]) {
    assert.deepEqual(await client.messages.next(), packed(`95 03 80 a1 '${number}' 03 0${number}`));
  }
});

beside('what is unknown is ignored', async (t) => {
  const client = await RawClient.connect(t, `${server.url}/hub`);
  client.send(`{"type":42,"what":"is this"}${END}`);
  client.send(`{"type":3,"invocationId":"nobody asked","result":1}${END}`);
  client.send(`{"type":5,"invocationId":"nobody runs"}${END}`);
  client.send(`{"type":2,"invocationId":"nobody reads","item":1}${END}`);
  client.send(`{"arguments":["x"],"extra":[{}],"target":"Echo","invocationId":"1","type":1}${END}`);
  assert.deepEqual(await client.messages.next(), { type: 3, invocationId: '1', result: 'x' });
});

beside('several messages in one frame', async (t) => {
  const client = await RawClient.open(t, `${server.url}/hub`);
  const calls = Array.from({ length: 50 }, (_, i) => invocation('Add', [i, 1], String(i)));
  client.send(HANDSHAKE + calls.join(''));
  assert.deepEqual(await client.messages.next(), {});
  for (let i = 0; i < 50; i += 1) {
    assert.deepEqual(await client.messages.next(), { type: 3, invocationId: String(i), result: i + 1 });
  }
});

beside('one message over many frames', async (t) => {
  const client = await RawClient.open(t, `${server.url}/hub`);
  for (const byte of HANDSHAKE + invocation('Echo', ['torn'], '1')) client.send(byte);
  assert.deepEqual(await client.messages.next(), {});
  assert.deepEqual(await client.messages.next(), { type: 3, invocationId: '1', result: 'torn' });
});

beside('one frame over many fragments, a ping between them', async (t) => {
  const client = await shaken(t, '/hub');
  const text = Buffer.from(invocation('Echo', ['Ω🙂'], '1'));
  // The cut goes through the middle of a character.
  const cut = text.indexOf(Buffer.from('🙂')) + 2;
  client.write(frame(text.subarray(0, cut), { final: false }));
  client.write(frame('are you there', { opcode: OPCODE.ping }));
  client.write(frame('', { opcode: OPCODE.continuation, final: false }));
  client.write(frame(text.subarray(cut), { opcode: OPCODE.continuation }));
  assert.equal(await client.received(OPCODE.pong), 'are you there');
  const answer = await client.received(OPCODE.text, /"type":3/);
  assert.deepEqual(JSON.parse(answer.slice(0, -1)), { type: 3, invocationId: '1', result: 'Ω🙂' });
});

beside('messages in binary frames are messages', async (t) => {
  const client = await FrameSocket.open(t, server, '/hub');
  client.write(frame(HANDSHAKE, { opcode: OPCODE.binary }));
  await client.received(OPCODE.text, /^\{\}/);
  client.write(frame(invocation('Echo', ['x'], '1'), { opcode: OPCODE.binary }));
  await client.received(OPCODE.text, /"result":"x"/);
});

beside('text that is not UTF-8', async (t) => {
  const client = await shaken(t, '/hub');
  const text = Buffer.from(invocation('Echo', ['?'], '1'));
  text[text.indexOf('?')] = 0xff;
  client.write(frame(text));
  await client.close();
});

/** Frames that RFC 6455 forbids; the connection ends without a word about hubs. */
const FRAMES = [
  ['not masked', frame(invocation('Echo', ['x'], '1'), { masked: false })],
  ['a reserved opcode', frame('x', { opcode: 3 })],
  ['a continuation of nothing', frame('x', { opcode: OPCODE.continuation })],
  ['a new message inside a fragmented one', Buffer.concat([frame('x', { final: false }), frame('y')])],
  ['a ping of 126 bytes', frame('x'.repeat(126), { opcode: OPCODE.ping })],
  ['a ping in fragments', frame('x', { opcode: OPCODE.ping, final: false })],
  ['a close of one byte', frame('x', { opcode: OPCODE.close })],
];

for (const [name, bytes] of FRAMES) {
  beside(`a frame that breaks the rules: ${name}`, async (t) => {
    const client = await shaken(t, '/hub');
    client.write(bytes);
    await client.close();
    assert.ok(!client.frames.some((frame) => frame.payload.includes('"result"')));
  });
}

for (const [name, announced] of [['2^40', 1n << 40n], ['2^63', 1n << 63n], ['2^64 - 1', (1n << 64n) - 1n]]) {
  beside(`a frame that announces ${name} bytes is refused by its header`, async (t) => {
    const client = await shaken(t, '/hub');
    const rss = server.rss();
    client.write(frame('x'.repeat(4096), { announced }));
    await client.close();
    const grown = server.rss() - rss;
    t.diagnostic(`server memory grew by ${grown.toFixed(1)} MiB`);
    assert.ok(grown < 8, `server memory grew by ${grown} MiB`);
  });
}

beside('fragments without end are given up at the limit', async (t) => {
  const client = await shaken(t, '/hub');
  client.write(frame('x', { final: false }));
  for (let sent = 0; sent <= LIMIT; sent += 1024) {
    client.write(frame('x'.repeat(1024), { opcode: OPCODE.continuation, final: false }));
  }
  await client.close();
});

beside('nothing follows the close frame of the server', async (t) => {
  const client = await shaken(t, '/hub');
  client.write(frame(invocation('AbortMe', [])));
  await client.received(OPCODE.close);
  client.write(frame('too late', { opcode: OPCODE.ping }));
  await client.close();
  assert.equal(client.frames.at(-1).opcode, OPCODE.close);
});

beside('an upgrade to more than a WebSocket is refused', async (t) => {
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(
    `GET /hub HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket, other\r\nConnection: Upgrade\r\n`
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [answer] = await within(SOON, once(socket, 'data'), 'an answer');
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 400 /);
});

beside('a socket that is cut in the middle of a frame', async (t) => {
  const client = await shaken(t, '/hub');
  client.write(frame('x'.repeat(1000)).subarray(0, 500));
  await client.received(OPCODE.text);
  client.socket.resetAndDestroy();
  await client.close();
});

test('after all of it the good client is alone and untroubled', async () => {
  assert.equal(good.connection.state, 'Connected');
  assert.deepEqual(good.heard('Notify').all, []);
  assert.deepEqual(await server.story(good.id), ['connected']);
  for (const hub of ['detailed', 'fast', 'big']) assert.equal(await server.count(hub), 0);
  assert.ok(!server.lines.some((line) => /panicked/.test(line)), 'a panic was logged');
});

/** A socket that has shaken hands, so that only what a test sends is wrong with it. */
async function shaken(t, path) {
  const client = await FrameSocket.open(t, server, path);
  client.write(frame(HANDSHAKE));
  await within(SOON, client.received(OPCODE.text, /^\{\}/), 'the handshake');
  return client;
}
