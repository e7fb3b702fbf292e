// After a connection is lost: how often it is tried again, when, and what the application hears.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Server, settle } from './kit.mjs';

test('the official delays, each shortened by a quarter at most, then the end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder({ skipNegotiation: true, transport: 1 }).withAutomaticReconnect());
  const closed = new Promise((resolve) => connection.onclose(resolve));
  const events = [];
  connection.onreconnecting((error) => events.push(error.message));
  socket.end();
  assert.equal(connection.state, 'Reconnecting');
  assert.equal(connection.connectionId, null);
  assert.match(events[0], /1006/);
  for (const delay of [0, 2_000, 10_000, 30_000]) {
    t.mock.timers.tick(Math.max(0, delay * 0.75 - 1));
    await settle();
    if (delay) assert.equal(server.sockets.length, 0, `before ${delay}`);
    t.mock.timers.tick(delay * 0.25 + 1);
    await settle();
    assert.equal(server.sockets.length, 1, `after ${delay}`);
    (await server.sockets.next()).end();
    await settle();
  }
  assert.ok((await closed) instanceof Error);
  assert.equal(events.length, 1);
});

test('a policy is told what it needs, and may give up or throw', async () => {
  for (const verdict of [() => null, () => { throw new Error('no idea'); }]) {
    const server = new Server();
    const contexts = [];
    const policy = {
      nextRetryDelayInMilliseconds(context) {
        contexts.push(context);
        return contexts.length < 3 ? 0 : verdict();
      },
    };
    const { connection, socket } = await server.connect(server.builder().withAutomaticReconnect(policy));
    const closed = new Promise((resolve) => connection.onclose(resolve));
    socket.end(4000, 'first');
    for (let i = 0; i < 2; i += 1) (await server.sockets.next()).end(4001, 'again');
    assert.ok((await closed) instanceof Error);
    assert.deepEqual(contexts.map(({ previousRetryCount }) => previousRetryCount), [0, 1, 2]);
    assert.match(contexts[0].retryReason.message, /first/);
    assert.match(contexts[1].retryReason.message, /again/);
    assert.equal(typeof contexts[2].elapsedMilliseconds, 'number');
  }
});

test('it is back, with a new id, and counts from the start when it is lost again', async () => {
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder().withAutomaticReconnect([0]));
  const back = new Promise((resolve) => connection.onreconnected(resolve));
  server.answer.connectionId = 'second';
  socket.end();
  const second = await server.sockets.next();
  await second.accept();
  assert.equal(await back, 'second');
  assert.equal(connection.connectionId, 'second');
  second.end();
  await (await server.sockets.next()).accept();
  await settle();
  assert.equal(connection.state, 'Connected');
  await connection.stop();
});

test('stop while it waits or tries ends it, with one close', async () => {
  for (const delay of [60_000, 0]) {
    const server = new Server();
    const { connection, socket } = await server.connect(server.builder().withAutomaticReconnect([delay]));
    let closes = 0;
    connection.onclose(() => { closes += 1; });
    socket.end();
    const next = delay ? undefined : await server.sockets.next();
    await connection.stop();
    assert.equal(connection.state, 'Disconnected');
    assert.equal(closes, 1);
    if (next) assert.ok(next.isClosed);
    await settle();
    assert.equal(server.sockets.length, 0);
  }
});

test('the address may change while it is away', async () => {
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder({ skipNegotiation: true, transport: 1 }).withAutomaticReconnect([0]));
  connection.onreconnecting(() => { connection.baseUrl = 'http://other.example/hub'; });
  socket.end();
  const next = await server.sockets.next();
  assert.equal(next.url, 'ws://other.example/hub');
  await connection.stop();
});

test('a first connect is tried again when asked', async () => {
  const server = new Server();
  const connection = server.builder({ retryStart: true, skipNegotiation: true, transport: 1 }).withAutomaticReconnect([0, 0]).build();
  const started = connection.start();
  (await server.sockets.next()).end();
  (await server.sockets.next()).end();
  await (await server.sockets.next()).accept();
  await started;
  assert.equal(connection.state, 'Connected');
  await connection.stop();

  const once = server.builder({ skipNegotiation: true, transport: 1 }).withAutomaticReconnect([0, 0]).build();
  const failed = assert.rejects(once.start(), /1006/);
  (await server.sockets.next()).end();
  await failed;
});

/** What a page has for those who listen, and tells them. */
function page(t) {
  const listeners = new Map();
  Object.assign(globalThis, {
    document: { hidden: false },
    addEventListener: (event, callback) => listeners.set(event, callback),
    removeEventListener: (event) => listeners.delete(event),
  });
  t.after(() => {
    for (const name of ['document', 'addEventListener', 'removeEventListener']) delete globalThis[name];
  });
  return { listeners, tell: (type) => listeners.get(type)({ type }) };
}

for (const [name, wake] of [
  ['who is back online', (page) => page.tell('online')],
  ['a page that is seen again', (page) => page.tell('visibilitychange')],
  ['a page that comes back from the cache', (page) => { page.tell('pagehide'); page.tell('pageshow'); }],
]) {
  test(`${name} does not wait any longer`, async (t) => {
    const server = new Server();
    const { connection, socket } = await server.connect(server.builder().withAutomaticReconnect([60_000]));
    const here = page(t);
    socket.end();
    wake(here);
    await (await server.sockets.next()).accept();
    await settle();
    assert.equal(connection.state, 'Connected');
    assert.equal(here.listeners.size, 0);
    await connection.stop();
  });
}

test('a page that is hidden or gone does not hurry', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder({ skipNegotiation: true, transport: 1 }).withAutomaticReconnect([1_000]));
  const here = page(t);
  socket.end();
  globalThis.document.hidden = true;
  here.tell('visibilitychange');
  here.tell('pagehide');
  t.mock.timers.tick(60_000);
  await settle();
  assert.equal(server.sockets.length, 0);
  assert.equal(connection.state, 'Reconnecting');
  globalThis.document.hidden = false;
  here.tell('pageshow');
  await settle();
  assert.equal(server.sockets.length, 1);
  await connection.stop();
  assert.equal(here.listeners.size, 0);
});

test('a server that falls silent is gone, and pings go out meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const server = new Server();
  const { connection, socket } = await server.connect();
  t.mock.timers.tick(0);
  assert.deepEqual(await socket.received.next(), { type: 6 }, 'the first ping, after which the server minds silence');
  const closed = new Promise((resolve) => connection.onclose(resolve));
  t.mock.timers.tick(15_000);
  assert.deepEqual(await socket.received.next(), { type: 6 });
  socket.say({ type: 6 });
  t.mock.timers.tick(29_999);
  assert.equal(connection.state, 'Connected');
  t.mock.timers.tick(1);
  assert.match((await closed).message, /timeout/);
  assert.ok(socket.isClosed);
});
