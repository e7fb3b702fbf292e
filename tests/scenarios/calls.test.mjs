// A client calls the hub: values there and back, order, and one call at a time.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';
import { SOON, within } from '../kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

/** Values that have gone wrong somewhere before: nothing, edges of numbers, and text that is more than letters. */
const VALUES = [
  '',
  'plain',
  'quote " backslash \\ slash / newline \n tab \t nul \0 record separator \x1e',
  'Grüße, 世界, שלום, Ω',
  '👩‍👩‍👧‍👦 🏳️‍🌈 𝒳',
  '\u2028\u2029\ufeff',
  null,
  true,
  false,
  0,
  -1,
  0.1,
  1.7976931348623157e308,
  5e-324,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  [],
  [null, [1, [2, [3]]]],
  {},
  { name: 'Ada', tags: ['a', 'b'], nested: { deep: { deeper: null } }, 'key with "quotes" and 🙂': 1, '': 0 },
];

scenario('echo gives every value back as it was', async (stage) => {
  const client = await stage.connect();
  for (const value of VALUES) assert.deepEqual(await client.invoke('Echo', value), value);
});

scenario('bytes and points in time are what the protocol has for them', async (stage) => {
  const client = await stage.connect();
  const { bytes, time } = stage.combination;
  // What arrives is a view of its message, and in Node a Buffer.
  const plain = (value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value);
  assert.deepEqual(plain(await client.invoke('Reversed', bytes([1, 30, 255, 0]))), bytes([0, 255, 30, 1]));
  assert.deepEqual(await client.invoke('SameTime', new Date('1969-07-20T20:17:40.5Z')), time('1969-07-20T20:17:40.500Z'));
  const anything = { list: [bytes([0x1e]), null, 1.5], text: 'as it came' };
  const passed = await client.invoke('Pass', anything);
  passed.list[0] = plain(passed.list[0]);
  assert.deepEqual(passed, anything);
});

scenario('a text just under the message limit passes', async (stage) => {
  const client = await stage.connect();
  const text = '🙂'.repeat(8_000);
  assert.equal(await client.invoke('Echo', text), text);
});

scenario('arguments arrive in their places', async (stage) => {
  const client = await stage.connect();
  assert.equal(await client.invoke('Add', 2_000_000_000, -7), 1_999_999_993);
});

scenario('a method without a value answers all the same', async (stage) => {
  const client = await stage.connect();
  assert.equal((await client.invoke('Nothing')) ?? null, null);
});

scenario('method names match without regard to case', async (stage) => {
  const client = await stage.connect();
  for (const name of ['Echo', 'echo', 'ECHO', 'eChO']) assert.equal(await client.invoke(name, name), name);
});

scenario('answers find their calls', async (stage) => {
  const client = await stage.connect();
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  assert.deepEqual(await Promise.all(numbers.map((i) => client.invoke('Add', i, 1))), numbers.map((i) => i + 1));
});

scenario('a thousand sends run in the order they were made', async (stage) => {
  const client = await stage.connect();
  const numbers = Array.from({ length: 1_000 }, (_, i) => i);
  await within(SOON, Promise.all(numbers.map((i) => client.connection.send('Append', i))), 'the sends');
  assert.deepEqual(await client.invoke('Appended'), numbers);
});

scenario('a send is not answered, not even when it fails', async (stage) => {
  const client = await stage.connect();
  await client.connection.send('Fail', 'nobody asked');
  await client.connection.send('Missing');
  await client.connection.send('Add', 'one', 'two');
  assert.equal(await client.invoke('Echo', 'still here'), 'still here');
});

scenario('events sent by a method come before its answer', async (stage) => {
  const client = await stage.connect();
  const numbers = client.heard('Number');
  await client.invoke('Burst', 1_000);
  assert.deepEqual(numbers.all, Array.from({ length: 1_000 }, (_, i) => i));
});

scenario('a slow call holds up the next one', async (stage) => {
  const client = await stage.connect();
  const answered = [];
  const calls = [
    client.invoke('Slow', 300, 'slow').then((value) => answered.push(value)),
    client.invoke('Echo', 'quick').then((value) => answered.push(value)),
  ];
  await Promise.all(calls);
  assert.deepEqual(answered, ['slow', 'quick']);
});

scenario('a slow call of one client does not hold up another', async (stage) => {
  const [patient, other] = await stage.connectAll(2);
  let slow = 'running';
  const call = patient.invoke('Slow', 2_000, 'slow').then((value) => (slow = value));
  assert.equal(await other.invoke('Echo', 'quick'), 'quick');
  assert.equal(slow, 'running');
  assert.equal(await call, 'slow');
});
