// WebSockets to the letter of RFC 6455, by hand on the wire: the opening handshake, control frames, and how a socket ends.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { ServerProcess } from './kit/process.mjs';
import { BROKEN, END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

/** The header of a close frame's payload, and what follows: a code and a reason. */
const closing = (code, reason = '') => Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);

/** What a handshake is answered with when its request is that of a browser but for `changes`; the socket has to end with the answer. */
async function answer(t, changes, { line = 'GET /hub HTTP/1.1', body = '' } = {}) {
  const headers = {
    Host: `127.0.0.1:${server.port}`,
    Upgrade: 'websocket',
    Connection: 'keep-alive, Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  const socket = connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const present = Object.entries(headers).filter(([, value]) => value !== null);
  socket.write(`${line}\r\n${present.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  let answered = '';
  socket.on('data', (bytes) => (answered += bytes.toString('latin1')));
  await within(SOON, new Promise((resolve) => socket.on('close', resolve)), 'the end of a socket whose handshake was refused');
  const [head, text] = answered.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), text };
}

const REFUSED = [
  ['no method but GET', {}, { line: 'POST /hub HTTP/1.1' }, 405, /GET/],
  ['HTTP/1.0', {}, { line: 'GET /hub HTTP/1.0' }, 400, /HTTP\/1\.1/],
  ['a version before RFC 6455', { 'Sec-WebSocket-Version': '8' }, {}, 426, /not 13/],
  ['a version that is none', { 'Sec-WebSocket-Version': '13, 8' }, {}, 426, /not 13/],
  ['no version', { 'Sec-WebSocket-Version': null }, {}, 400, /Version is missing/],
  ['another protocol', { Upgrade: 'h2c' }, {}, 400, /Upgrade is not websocket/],
  ['something like a WebSocket', { Upgrade: 'xwebsocketx' }, {}, 400, /Upgrade is not websocket/],
  ['a choice of protocols', { Upgrade: 'websocket, h2c' }, {}, 400, /Upgrade is not websocket/],
  ['a connection that is not upgraded', { Connection: 'keep-alive' }, {}, 400, /Connection does not say Upgrade/],
  ['a body in chunks', { 'Transfer-Encoding': 'chunked' }, { body: '0\r\n\r\n' }, 400, /leave out Transfer-Encoding/],
  ['no key', { 'Sec-WebSocket-Key': null }, {}, 400, /Key is missing/],
  ['a key of 15 bytes', { 'Sec-WebSocket-Key': 'MTIzNDU2Nzg5MDEyMzQ1' }, {}, 400, /not 16 bytes/],
  ['a key that is not base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, {}, 400, /not 16 bytes/],
];

for (const [name, changes, request, status, text] of REFUSED) {
  test(`a handshake is refused: ${name}`, async (t) => {
    const refusal = await answer(t, changes, request);
    assert.equal(refusal.status, status, refusal.head);
    assert.match(refusal.text, text);
    if (status === 426) assert.match(refusal.head, /\r\nsec-websocket-version: 13(\r\n|$)/);
  });
}

test('a handshake of Hixie-76 is refused at once, also where it looks like a poll', async (t) => {
  const old = {
    Upgrade: 'WebSocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': null,
    'Sec-WebSocket-Key': null,
    'Sec-WebSocket-Key1': '4 @1  46546xW%0l 1 5',
    'Sec-WebSocket-Key2': '12998 5 Y3 1  .P00',
  };
  const { connectionToken } = JSON.parse(await server.fetch('/hub/negotiate?negotiateVersion=1', { method: 'POST' }));
  for (const target of ['/hub', `/hub?id=${connectionToken}`]) {
    for (const changes of [old, { ...old, Upgrade: null }]) {
      const refusal = await answer(t, changes, { line: `GET ${target} HTTP/1.1`, body: '^n:ds[4U' });
      assert.equal(refusal.status, 400, refusal.head);
      assert.match(refusal.text, /before RFC 6455/);
    }
  }
});

test('a subprotocol is told where one is selected, and only then', async (t) => {
  const told = async (path, offered) => {
    const { head } = await FrameSocket.open(t, server, path, { 'Sec-WebSocket-Protocol': offered });
    return head.match(/^sec-websocket-protocol: (.*)$/im)?.[1];
  };
  assert.equal(await told('/hub', 'chat.v1, chat.v2'), undefined);
  assert.equal(await told('/raw-pinged', 'chat.v1,chat.v2 , other'), 'chat.v2');
  assert.equal(await told('/raw-pinged', 'other'), undefined);
  assert.equal(await told('/raw-pinged', 'impossible'), undefined);
  await server.logged(/a subprotocol was selected that the client does not offer, so none is/);
});

test('a ping is answered while a method runs', async (t) => {
  const client = await FrameSocket.open(t, server, '/hub');
  client.write(frame(HANDSHAKE));
  await client.received(OPCODE.text, /^\{\}/);
  client.write(frame(invocation('Slow', [3000, 'done'], '1')));
  for (const payload of ['', 'one', 'x'.repeat(125)]) {
    client.write(frame(payload, { opcode: OPCODE.ping }));
    await client.received(OPCODE.pong, new RegExp(`^${payload}$`));
  }
  // Nobody asked for it, and nobody minds.
  client.write(frame('unasked', { opcode: OPCODE.pong }));
  client.write(frame('last', { opcode: OPCODE.ping }));
  await client.received(OPCODE.pong, /^last$/);
  assert.ok(!client.frames.some(({ payload }) => payload.includes('done')), 'the method had ended');
});

const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const WRONG_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

test('a close frame is answered with its code, and ends the socket', async (t) => {
  for (const code of CODES) {
    const client = await FrameSocket.open(t, server, '/raw-pinged');
    client.write(frame(closing(code, 'because'), { opcode: OPCODE.close }));
    await client.close();
    assert.deepEqual(client.codes, [code]);
  }
  const client = await FrameSocket.open(t, server, '/raw-pinged');
  client.write(frame('', { opcode: OPCODE.close }));
  await client.close();
  // What the `close()` of a browser sends, whose page would take any other answer for a failure.
  assert.deepEqual(client.codes, [1000]);
});

test('a close frame with a code that may not be sent, or a reason that is no text, is a broken frame', async (t) => {
  const bad = [...WRONG_CODES.map((code) => closing(code)), Buffer.from([0x03]), Buffer.from([0x03, 0xe8, 0xc3, 0x28])];
  for (const payload of bad) {
    const client = await FrameSocket.open(t, server, '/raw-pinged');
    client.write(frame(payload, { opcode: OPCODE.close }));
    await client.close();
    assert.deepEqual(client.codes, [1002], `${payload.toString('hex')}`);
  }
});

test('what comes behind a close frame is ignored', async (t) => {
  const client = await FrameSocket.open(t, server, '/raw-pinged');
  const close = frame(closing(1000), { opcode: OPCODE.close });
  client.write(Buffer.concat([frame('before'), close, frame('behind'), frame('behind', { opcode: OPCODE.ping }), Buffer.from([0xff, 0xff])]));
  await client.close();
  assert.deepEqual(client.codes, [1000]);
  assert.ok(!client.frames.some(({ payload }) => payload === 'behind'));
});

test('what came before a broken frame counts', async (t) => {
  const client = await FrameSocket.open(t, server, '/raw-pinged');
  client.write(Buffer.concat([frame('good'), frame('bad', { opcode: 3 }), frame('late')]));
  await client.close();
  const [good, close] = client.frames.filter(({ opcode }) => opcode !== OPCODE.ping);
  assert.deepEqual(good, { opcode: OPCODE.text, payload: 'good' });
  assert.equal(close.opcode, OPCODE.close);
  assert.deepEqual(client.codes, [1002]);
});

for (const path of ['/hub', '/raw-pinged']) {
  test(`text that is not UTF-8 ends ${path} with its first wrong byte`, async (t) => {
    const client = await FrameSocket.open(t, server, path);
    if (path === '/hub') client.write(frame(HANDSHAKE));
    // A surrogate, in a frame whose end does not come, of a message whose end would not come with it.
    client.write(frame('hello', { final: false }));
    client.write(frame(Buffer.from([0xed, 0xa0, ...Buffer.from('the rest')]), { opcode: OPCODE.continuation, final: false }).subarray(0, 10));
    await client.close();
    assert.deepEqual(client.codes, [1007]);
  });
}

test('a peer that answers the pings of the server stays, and one that does not has timed out', async (t) => {
  const [living, silent] = [await RawClient.open(t, `${server.url}/raw-pinged`), await FrameSocket.open(t, server, '/raw-pinged')];
  let pings = 0;
  living.socket.on('ping', () => (pings += 1));
  await silent.received(OPCODE.ping);
  await silent.received(OPCODE.close);
  assert.deepEqual(silent.codes, [1000]);
  await server.logged(/connection closed .*reason=client timeout/);
  assert.equal(living.socket.readyState, living.socket.OPEN);
  assert.ok(pings > 1, `${pings} pings`);
});

test('a hub is told that its client answered no ping', async (t) => {
  const client = await FrameSocket.open(t, server, '/pinged');
  client.write(frame(HANDSHAKE + invocation('ConnectionId', [], 'who am I')));
  const { result: id } = JSON.parse((await client.received(OPCODE.text, /who am I/)).split(END).find((text) => text.includes('who am I')));
  assert.equal(await server.farewell(id), 'client timeout');
  assert.deepEqual(JSON.parse((await client.received(OPCODE.text, /"type":7/)).slice(0, -1)), BROKEN);
  await client.received(OPCODE.close);
  assert.deepEqual(client.codes, [1000]);
});

test('the server ends the socket of a connection that is closed, whoever began', async (t) => {
  const own = await ServerProcess.start('echo');
  t.after(() => own.stop());
  const client = await FrameSocket.open(t, own, '/echo');
  const hub = await RawClient.connect(t, `${server.url}/hub`);
  own.terminate();
  await client.received(OPCODE.close);
  client.write(frame(closing(1001), { opcode: OPCODE.close }));
  await client.close();
  assert.deepEqual(client.codes, [1001]);
  hub.send(invocation('AbortMe', []));
  assert.equal(await hub.close(), 1000);
});
