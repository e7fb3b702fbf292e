// The MessagePack protocol: byte for byte what the official one writes, and understood the same, in old engines too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';

import { MessagePackHubProtocol as Official } from '@microsoft/signalr-protocol-msgpack';

import { Server, hubwire, served, settle } from './kit.mjs';

const SCRIPT = served('msgpack.min.js');
vm.runInThisContext(SCRIPT);
const { MessagePackHubProtocol } = hubwire;

const ours = new MessagePackHubProtocol();
const official = new Official();
const logger = { log() {} };

const hex = (buffer) => Buffer.from(buffer).toString('hex');
const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex')).buffer;

const long = (length) => 'ä'.repeat(length);
const VALUES = [
  null, true, false,
  0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53) + 1,
  0.5, -1.25, 1e300, 5e-324, Infinity, -Infinity, NaN, 2 ** 53, 1e20,
  '', 'a', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(65536), long(16), long(40_000), 'Grüße, 世界 👋 \u2028\0',
  new Uint8Array(0), new Uint8Array([1, 30, 255]), new Uint8Array(300), new Uint8Array(70_000).fill(7),
  [], [1, [2, [3]]], Array(15).fill(1), Array(16).fill(2), Array(65_536).fill(3),
  {}, { a: 1, b: { c: [null] }, '1': 'one' }, Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`key${i}`, i])),
  new Date(0), new Date(1), new Date(1234567890123), new Date(-1), new Date(2 ** 32 * 1000), new Date(2 ** 34 * 1000), new Date(-62135596800000), new Date(8640000000000000),
];

const MESSAGES = [
  { type: 1, target: 'Say', arguments: ['x'] },
  { type: 1, target: 'Say', arguments: [], invocationId: '7', headers: { trace: 'on' } },
  { type: 1, target: 'Feed', arguments: [1], invocationId: '7', streamIds: ['8', '9'] },
  { type: 2, invocationId: '7', item: null },
  { type: 2, invocationId: '7', item: { a: 1 } },
  { type: 3, invocationId: '7' },
  { type: 3, invocationId: '7', result: null },
  { type: 3, invocationId: '7', result: [1] },
  { type: 3, invocationId: '7', error: 'no' },
  { type: 4, target: 'Count', arguments: [3], invocationId: '7' },
  { type: 4, target: 'Echo', arguments: [], invocationId: '7', streamIds: ['8'] },
  { type: 5, invocationId: '7' },
  { type: 6 },
  { type: 7 },
  { type: 8, sequenceId: 70_000 },
  { type: 9, sequenceId: 1 },
];

test('values are written as the official protocol writes them, and read back', () => {
  for (const item of VALUES) {
    const message = { type: 2, invocationId: '1', item };
    const written = ours.writeMessage(message);
    const name = String(item).slice(0, 30);
    assert.ok(written instanceof ArrayBuffer);
    assert.equal(hex(written), hex(official.writeMessage(message)), name);
    assert.deepEqual(ours.parseMessages(written, logger)[0].item, item, name);
  }
});

test('views of bytes are written as the bytes that they show', () => {
  const buffer = new Uint8Array([0, 1, 2, 3]).buffer;
  for (const item of [buffer, new Uint8Array(buffer), new Uint16Array(buffer), new DataView(buffer), Buffer.from(buffer)]) {
    assert.deepEqual([...ours.parseMessages(ours.writeMessage({ type: 2, item }), logger)[0].item], [0, 1, 2, 3]);
  }
  const part = ours.writeMessage({ type: 2, item: new Uint8Array(buffer, 1, 2) });
  assert.deepEqual([...ours.parseMessages(part, logger)[0].item], [1, 2]);
});

test('half of a pair of characters is written as the sign for what is none', () => {
  assert.equal(ours.parseMessages(ours.writeMessage({ type: 2, item: 'a\ud83d, \udc4bz👋' }), logger)[0].item, 'a\ufffd, \ufffdz👋');
});

test('what has no form is refused', () => {
  assert.throws(() => ours.writeMessage({ type: 2, item: () => {} }), /MessagePack has no function/);
});

test('messages are written as the official protocol writes them', () => {
  for (const message of MESSAGES) assert.equal(hex(ours.writeMessage(message)), hex(official.writeMessage(message)), JSON.stringify(message));
});

test('messages are read as the official protocol reads them, several at a time', () => {
  // Streams of a call and what only a server reads are not its business.
  const readable = MESSAGES.filter(({ type, streamIds }) => type !== 4 && type !== 5 && !streamIds);
  const all = Buffer.concat(readable.map((message) => Buffer.from(official.writeMessage(message))));
  const plain = (messages) => messages.map((message) => JSON.parse(JSON.stringify({ ...message, streamIds: undefined, headers: message.headers ?? {} })));
  const theirs = plain(official.parseMessages(bytes(hex(all)), logger));
  for (const message of theirs) if (message.error === null) delete message.error;
  assert.deepEqual(plain(ours.parseMessages(bytes(hex(all)), logger)), theirs);
});

test('forms that the official protocol never writes are read', () => {
  const length = (text) => (text.length / 2).toString(16).padStart(2, '0');
  const item = (text) => ours.parseMessages(bytes(`${length(`940280c0${text}`)}940280c0${text}`), logger)[0].item;
  assert.equal(item('ca3fc00000'), 1.5);
  assert.equal(item('d3ffffffffffffffff'), -1);
  assert.equal(item('cf0000000000000001'), 1);
  assert.equal(item('d1ff80'), -128);
  assert.deepEqual(item('8101c3'), { 1: true });
  const extension = item('d50501ff');
  assert.deepEqual([extension.type, ...extension.data], [5, 1, 255]);
});

test('what is broken is refused, and what is new is passed over', () => {
  const told = [];
  assert.deepEqual(ours.parseMessages(bytes('029163029106'), { log: (level, text) => told.push([level, text]) }), [{ type: 6 }]);
  assert.deepEqual(told, [[2, 'Unknown message type 99 ignored.']]);
  for (const [broken, why] of [
    ['00', 'nothing'], ['0190', 'no type'], ['01c0', 'no array'], ['01c1', 'never used'], ['02910606', 'what follows is cut'],
    ['03910600', 'a value too many'], ['04930280c0', 'an item is missing'], ['06930380a13190', 'a completion without a kind'],
    ['07940380a13103', 'a result is missing'], ['0391a5', 'cut in the prefix'], ['0791ddffffffff06', 'a long list'], ['ffffffffff', 'a length without an end'],
    ['02', 'a message that does not come'], ['0a940280c081a131a132', 'cut'], ['11940280c081a95f5f70726f746f5f5fc0', '__proto__'], ['06940280c0a1ff', 'no UTF-8'],
  ]) assert.throws(() => ours.parseMessages(bytes(broken), logger), undefined, why);
});

test('an engine without TextDecoder and ArrayBuffer.isView does the same', () => {
  const context = vm.createContext({ hubwire: { kept: true } });
  vm.runInContext('delete this.TextDecoder;', context);
  vm.runInContext(SCRIPT, context);
  assert.ok(context.hubwire.kept, 'it stands beside the client');
  const text = vm.runInContext(`
    var protocol = new hubwire.MessagePackHubProtocol();
    protocol.parseMessages(protocol.writeMessage({ type: 2, item: 'Grüße 👋' }), null)[0].item;
  `, context);
  assert.equal(text, 'Grüße 👋');
});

test('a connection speaks it', async () => {
  const server = new Server();
  const connection = server.builder().withHubProtocol(new MessagePackHubProtocol()).build();
  const started = connection.start();
  const socket = await server.sockets.next();
  socket.open();
  assert.deepEqual(await socket.received.next(), { protocol: 'messagepack', version: 1 });
  socket.onmessage({ data: new TextEncoder().encode('{}\x1e').buffer });
  await started;
  const next = async () => {
    for (;;) {
      const [message] = ours.parseMessages(await socket.received.next(), logger);
      if (message.type !== 6) return message;
    }
  };
  connection.on('sum', (a, b) => a + b);
  socket.onmessage({ data: official.writeMessage({ type: 1, target: 'Sum', arguments: [1, 2], invocationId: 'q', headers: {} }) });
  await settle();
  assert.deepEqual(await next(), { type: 3, headers: {}, invocationId: 'q', result: 3 });
  const answer = connection.invoke('Echo', new Uint8Array([1, 2]));
  const { invocationId, arguments: [sent] } = await next();
  assert.deepEqual([...sent], [1, 2]);
  socket.onmessage({ data: official.writeMessage({ type: 3, invocationId, result: { at: new Date(5) }, headers: {} }) });
  assert.deepEqual(await answer, { at: new Date(5) });
  await connection.stop();
  assert.equal(connection.state, hubwire.HubConnectionState.Disconnected);
});
