// Streams: from the hub, from the client, both at once, and every way in which one ends.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { Subject } from '@microsoft/signalr';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';
import { SOON, until } from '../kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

const numbers = (count) => Array.from({ length: count }, (_, number) => number);
const failed = (method, text) => `An unexpected error occurred invoking '${method}' on the server. HubException: ${text}`;

/** Sends `items` and then the end, or `error`. */
function send(subject, items, error) {
  for (const item of items) subject.next(item);
  if (error) subject.error(error);
  else subject.complete();
}

/**
 * Waits until the client has learned that its items arrived. It sends them on its own account, and where it is stopped
 * before the answer to the last POST, nobody catches what it throws. The first call may share a POST with them, so it
 * takes a second one, which goes out when that is answered.
 */
async function settled(client) {
  for (const text of ['alive', 'settled']) assert.equal(await client.invoke('Echo', text), text);
}

scenario('a stream brings its items in order and then its end', async (stage) => {
  const client = await stage.connect();
  for (const count of [0, 1, 1000]) {
    const stream = client.stream('Counter', count);
    assert.equal(await stream.end(), 'complete');
    assert.deepEqual(stream.items.all, numbers(count));
  }
});

scenario('a stream that fails says why, after what it had', async (stage) => {
  const client = await stage.connect();
  const stream = client.stream('CounterThenFail', 3);
  assert.equal(await stream.end(), 'An error occurred on the server while streaming results. HubException: stream broke');
  assert.deepEqual(stream.items.all, [0, 1, 2]);
});

scenario('a stream may be refused before its first item', async (stage) => {
  const client = await stage.connect();
  assert.equal(await client.stream('CounterIf', false).end(), failed('CounterIf', 'not now'));
  const stream = client.stream('CounterIf', true);
  assert.equal(await stream.end(), 'complete');
  assert.deepEqual(stream.items.all, [0, 1, 2]);
});

scenario('a stream that is stopped ends on the server', async (stage) => {
  const client = await stage.connect();
  const stream = client.stream('Ticks', 1);
  assert.equal(await stream.items.next(), 0);
  assert.equal(await stream.items.next(), 1);
  stream.stop();
  await until(SOON, 'the end of the ticks', async () => (await server.story(client.id)).includes('ticks cancelled'));
  await settled(client);
});

scenario('a stream ends with its connection', async (stage) => {
  const client = await stage.connect();
  const stream = client.stream('Ticks', 1);
  await stream.items.next();
  await client.stop();
  await until(SOON, 'the end of the ticks', async () => (await server.story(client.id)).includes('ticks cancelled'));
});

scenario('streams stand in the way of nothing', async (stage) => {
  const client = await stage.connect();
  const ticks = numbers(3).map(() => client.stream('Ticks', 1));
  const flood = client.stream('Flood', 500);
  assert.equal(await client.invoke('Echo', 'between'), 'between');
  assert.equal(await flood.end(), 'complete');
  assert.deepEqual(flood.items.all.map((text) => [parseInt(text, 10), text.length]), numbers(500).map((n) => [n, 1000]));
  for (const stream of ticks) {
    await stream.items.next();
    stream.stop();
  }
});

scenario('a client sends a stream', async (stage) => {
  const client = await stage.connect();
  const subject = new Subject();
  const sum = client.invoke('Sum', subject);
  send(subject, numbers(1000));
  assert.equal(await sum, 499_500);
  await settled(client);
});

scenario('a client sends several streams among arguments', async (stage) => {
  const client = await stage.connect();
  const [first, second] = [new Subject(), new Subject()];
  const answer = client.invoke('TwoStreams', first, ' and ', second);
  send(second, ['a', 'b']);
  send(first, [1, 2]);
  assert.equal(await answer, '3 and ab');
  await settled(client);
});

scenario('a stream goes both ways', async (stage) => {
  const client = await stage.connect();
  const subject = new Subject();
  const doubled = client.stream('Doubled', subject);
  for (const number of [1, 2]) {
    subject.next(number);
    assert.equal(await doubled.items.next(), number * 2);
  }
  subject.complete();
  assert.equal(await doubled.end(), 'complete');
  await settled(client);
});

scenario("the error of a client's stream comes back to it", async (stage) => {
  const client = await stage.connect();
  const subject = new Subject();
  const refusal = client.refusal('Sum', subject);
  send(subject, [1], new Error('enough'));
  assert.match(await refusal, /HubException: .*enough/);
  const wrong = new Subject();
  const misfit = client.refusal('Sum', wrong);
  send(wrong, ['one']);
  assert.match(await misfit, /^An unexpected error occurred invoking 'Sum' on the server\./);
  await settled(client);
});
