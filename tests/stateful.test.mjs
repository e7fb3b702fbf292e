// Connections that outlive their sockets, over real ones: links cut at random moments, take-overs, and whoever has no right to one.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import * as signalr from '@microsoft/signalr';

import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { Proxy } from './kit/proxy.mjs';
import { END, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { StatefulClient, address, knock, negotiate } from './kit/stateful.mjs';
import { SOON, until, within } from './kit/within.mjs';

const MESSAGES = 10_000;
const CUTS = 200;
const LONG = 60_000;

const server = await TestServer.start();
after(() => server.stop());
const url = `${server.url}/stateful`;

/** Numbers that look random and are the same in every run (mulberry32). */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Microsoft's client, connected straight to the server. */
async function official(t) {
  const client = new signalr.HubConnectionBuilder()
    .withUrl(url)
    .withStatefulReconnect()
    .configureLogging(signalr.LogLevel.None)
    .build();
  t.after(() => client.stop());
  await within(SOON, client.start(), 'the start');
  return client;
}

const numbers = Array.from({ length: MESSAGES }, (_, i) => i);

test(`${MESSAGES} messages each way while the link is cut ${CUTS} times`, { timeout: 2 * LONG }, async (t) => {
  const client = await StatefulClient.connect(t, url);
  const heard = [];
  const results = [];
  client.onmessage = (message) => {
    if (message.target === 'Notify') heard.push(Number(message.arguments[0]));
    else results.push(message);
  };
  const choose = random(1);
  const cuts = new Set();
  while (cuts.size < CUTS) cuts.add(choose(MESSAGES));
  for (const i of numbers) {
    client.send('Append', i);
    client.send('SendCaller', String(i));
    // Some links are cut with everything still in them, some while answers come.
    if (cuts.has(i)) {
      if (choose(2)) await new Promise(setImmediate);
      await (choose(4) ? client.reconnect() : client.takeOver());
    }
    // Both ends keep 100,000 bytes; nobody sends more than what the other can take.
    if (i % 100 === 99) await until(LONG, `message ${i - 200}`, () => heard.length >= i - 200);
  }
  await until(LONG, 'all messages', () => heard.length >= MESSAGES);
  assert.deepEqual(heard, numbers);
  assert.deepEqual(await server.appended(client.connectionId), numbers);
  assert.equal(client.closed, null);
  assert.deepEqual(results, [], 'nothing else was sent that counts');
  assert.deepEqual(await server.story(client.connectionId), ['connected'], 'it was one connection all the time');
});

test('the official client loses nothing either', { timeout: 2 * LONG }, async (t) => {
  const proxy = await Proxy.start(t, server.port);
  const connection = new signalr.HubConnectionBuilder()
    .withUrl(`${proxy.url}/stateful`)
    .withStatefulReconnect()
    .configureLogging(signalr.LogLevel.None)
    .build();
  t.after(() => connection.stop());
  const heard = [];
  connection.on('Notify', (text) => heard.push(Number(text)));
  let ended = false;
  connection.onclose(() => { ended = true; });
  await within(SOON, connection.start(), 'the start');
  const { connectionId } = connection;
  for (const i of numbers) {
    await within(SOON, connection.send('Append', i), 'a message to be sent');
    await within(SOON, connection.send('SendCaller', String(i)), 'a message to be sent');
    if (i % (MESSAGES / CUTS) !== 0) continue;
    // It tries once, and gives up on a socket that nothing came from.
    await within(SOON, connection.invoke('Nothing'), 'an answer over this socket');
    // Lost with the socket, both the call and the answer to the last.
    const lost = connection.invoke('Nothing');
    proxy.cut();
    proxy.mend();
    await within(SOON, lost, 'the answer to what was lost');
    await within(SOON, connection.invoke('Nothing'), 'an answer over the next socket');
  }
  await until(LONG, 'all messages', () => heard.length >= MESSAGES);
  assert.deepEqual(heard, numbers);
  assert.deepEqual(await server.appended(connectionId), numbers);
  assert.equal(connection.connectionId, connectionId);
  assert.ok(!ended);
  assert.deepEqual(await server.story(connectionId), ['connected']);
});

test('streams, client results and calls live through it', { timeout: LONG }, async (t) => {
  const proxy = await Proxy.start(t, server.port);
  const connection = new signalr.HubConnectionBuilder()
    .withUrl(`${proxy.url}/stateful`)
    .withStatefulReconnect()
    .configureLogging(signalr.LogLevel.None)
    .build();
  t.after(() => connection.stop());
  const cut = () => {
    proxy.cut();
    proxy.mend();
  };
  connection.on('Shout', async (text) => {
    cut();
    return `${text}!`;
  });
  await within(SOON, connection.start(), 'the start');
  assert.equal(await within(SOON, connection.invoke('Ask', connection.connectionId, 'Shout', 'hey'), 'a result'), 'hey!');

  const slow = connection.invoke('Slow', 200, 'late');
  const ticks = [];
  const streamed = new Promise((resolve, reject) => {
    connection.stream('Counter', 300).subscribe({
      next: (tick) => {
        ticks.push(tick);
        if (ticks.length === 10) cut();
      },
      complete: resolve,
      error: reject,
    });
  });
  await within(SOON, streamed, 'a stream to its end');
  assert.deepEqual(ticks, numbers.slice(0, 300));
  assert.equal(await within(SOON, slow, 'a slow call'), 'late');

  const subject = new signalr.Subject();
  const sum = connection.invoke('Sum', subject);
  for (let i = 0; i < 10; i += 1) subject.next(i);
  cut();
  for (let i = 0; i < 10; i += 1) subject.next(i);
  subject.complete();
  assert.equal(await within(SOON, sum, 'the sum'), 90);
});

test('a stream both ways is longer than what both ends keep', { timeout: LONG }, async (t) => {
  const client = await official(t);
  const subject = new signalr.Subject();
  const doubled = [];
  const end = new Promise((resolve, reject) => {
    client.stream('Doubled', subject).subscribe({ next: (item) => doubled.push(item), complete: resolve, error: reject });
  });
  // Far more than is read ahead: the words of the client about what it has received lie behind them.
  for (let i = 0; i < 20_000; i += 1) subject.next(i);
  subject.complete();
  await within(LONG, end, 'the end of the stream');
  assert.equal(doubled.length, 20_000);
  assert.ok(doubled.every((item, i) => item === 2 * i));
});

test('a client that does not await what it sends gets all the answers', { timeout: LONG }, async (t) => {
  const client = await official(t);
  const answers = numbers.map((number) => client.invoke('Echo', String(number)));
  assert.deepEqual(await within(LONG, Promise.all(answers), 'all answers'), numbers.map(String));
});

test('only a client that asked for it gets it, and only where it is allowed', async (t) => {
  const asked = await negotiate(url);
  assert.equal(asked.useStatefulReconnect, true);
  assert.equal((await negotiate(url, 'x=1')).useStatefulReconnect, undefined);
  assert.equal((await negotiate(`${server.url}/big`)).useStatefulReconnect, undefined);

  const socket = await knock(t, address(url, asked.connectionToken));
  assert.equal(await knock(t, address(url, asked.connectionToken)), 409, 'it has not shaken hands');
  socket.send(`{"protocol":"json","version":1}${END}`);
  await within(SOON, new Promise((resolve) => socket.once('message', resolve)), 'the answer');
  assert.equal(await knock(t, address(url, asked.connectionToken)), 409, 'it chose version 1');
});

test('nobody takes over what is not theirs', async (t) => {
  const client = await StatefulClient.connect(t, `${url}`);
  await until(SOON, 'the connection', async () => (await server.story(client.connectionId)).length === 1);
  const token = new URL(client.address).searchParams.get('id');
  const forged = token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA');
  assert.equal(await knock(t, address(url, forged)), 404);
  assert.equal(await knock(t, address(`${server.url}/big`, token)), 404, 'a token of another endpoint');
  assert.equal(await knock(t, `${address(url, token)}&user=eve`), 403, 'another user');
  const other = await negotiate(url);
  assert.equal(typeof (await knock(t, address(url, other.connectionToken))), 'object', 'a connection of its own');
  assert.deepEqual(await server.story(client.connectionId), ['connected']);
});

test('a client that took long to come back finds nobody', async (t) => {
  const client = await StatefulClient.connect(t, `${server.url}/stateful-fast`);
  const socket = await knock(t, client.address);
  socket.terminate();
  assert.equal(await server.farewell(client.connectionId), 'network lost');
  assert.equal(await knock(t, client.address), 404);
});

test('a socket that took over and is not read is let go with its connection', { timeout: LONG }, async (t) => {
  const client = await StatefulClient.connect(t, `${server.url}/stateful-fast`);
  const { pathname, search } = new URL(client.address);
  const sender = await RawClient.connect(t, `${server.url}/big`);
  // The first one may have lost its link without a word; the second one is slow.
  for (const _ of [1, 2]) {
    const stalled = await FrameSocket.open(t, server, pathname + search);
    await stalled.received(OPCODE.text, /"type":9/);
    stalled.stall();
    // More than the kernel takes off the server's hands.
    sender.send(invocation('BroadcastBig', [16 << 20, 1]));
    await sender.messages.next(LONG);
    // What comes from it wakes its task, until the server's own buffer is full as well and its body is polled no more.
    stalled.write(frame(`{"type":9,"sequenceId":1}${END}`));
    for (let i = 0; i < 5; i += 1) stalled.write(frame(invocation('Append', [i])));
    await server.logged(new RegExp(`(given up|connection closed).* id=${client.connectionId}`));
  }
  assert.match(await server.farewell(client.connectionId), /^slow consumer: /);
  // Its end is complete once its token leads nowhere; whoever comes back before is told that it is over.
  // Nobody needs to wait for the kernel, which gives up such a socket after 15 s.
  await until(SOON, 'the connection to be forgotten', async () => {
    const status = await knock(t, client.address);
    assert.ok(status === 204 || status === 404, `a socket behind the end was answered ${status}`);
    return status === 404;
  });
});
