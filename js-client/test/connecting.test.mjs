// From `start` to a connection: where the client turns to, what it tries, when it loses patience, and how it is stopped.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OFFERS, Server, hubwire, settle } from './kit.mjs';

const refused = (statusCode, text) => Promise.reject(new hubwire.HttpError(text ?? `answered ${statusCode}`, statusCode));

test('a ws address is negotiated over http, and its fragment stays here', async () => {
  const server = new Server();
  const builder = new hubwire.HubConnectionBuilder().withUrl('wss://example.org/chat/?room=1#top', server.options);
  const { connection, socket } = await server.connect(builder);
  assert.equal(server.requests[0].method, 'POST');
  assert.match(server.requests[0].url, /^https:\/\/example\.org\/chat\/negotiate\?room=1&negotiateVersion=1/);
  assert.equal(socket.url, 'wss://example.org/chat/?room=1&id=secret');
  assert.equal(connection.connectionId, 'public');
  assert.equal(connection.transport, 'WebSockets');
  assert.equal(connection.attempts.length, 1);
  await connection.stop();
});

test('version 0 of negotiate knows one id', async () => {
  const server = new Server();
  server.answer = { connectionId: 'one', availableTransports: [OFFERS.WebSockets] };
  const { connection, socket } = await server.connect(server.builder());
  assert.match(socket.url, /\?id=one$/);
  await connection.stop();
});

test('redirects are followed, with the token that they give', async () => {
  const server = new Server();
  const { answer } = server;
  server.respond = ({ url }) => {
    const there = { url: 'https://elsewhere.example/hub?x=1', accessToken: 'theirs' };
    return { statusCode: 200, content: JSON.stringify(url.startsWith('https://elsewhere') ? answer : there) };
  };
  const { connection, socket } = await server.connect(server.builder({ accessTokenFactory: () => 'mine' }));
  assert.deepEqual(server.requests.map(({ headers }) => headers.Authorization), ['Bearer mine', 'Bearer theirs']);
  assert.equal(socket.url, 'wss://elsewhere.example/hub?x=1&id=secret&access_token=theirs');
  assert.equal(connection.baseUrl, 'http://example.org/chat');
  await connection.stop();
});

test('redirects that go round end', async () => {
  const server = new Server();
  server.answer = { url: 'http://example.org/chat' };
  await assert.rejects(server.builder().build().start(), /negotiate answered 200 {"url":"http:/);
  assert.ok(server.requests.length <= 101);
});

test('a token is asked for again after a 401, once', async () => {
  const server = new Server();
  let asked = 0;
  server.respond = ({ headers }) =>
    headers.Authorization === 'Bearer 2' ? { statusCode: 200, content: JSON.stringify(server.answer) } : refused(401);
  const options = { accessTokenFactory: async () => String((asked += 1)) };
  const { connection, socket } = await server.connect(server.builder(options));
  assert.match(socket.url, /access_token=3$/, 'and once for the socket');
  await connection.stop();

  asked = 10;
  await assert.rejects(server.builder(options).build().start(), { statusCode: 401 });
  assert.equal(asked, 12);
});

test('patience with the server begins when there is a token', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new Server();
  let login;
  const accessTokenFactory = () => new Promise((resolve) => { login = resolve; });
  const connection = server.builder({ accessTokenFactory }).build();
  const started = connection.start();
  started.catch(() => {});
  await settle();
  t.mock.timers.tick(10 * connection.serverTimeoutInMilliseconds);
  assert.equal(connection.state, 'Connecting');
  login('t');
  await settle();
  assert.equal(server.requests.length, 1);
  await connection.stop();
});

test('a page where a hub should be is told from a hub', async () => {
  const server = new Server();
  server.respond = () => ({ statusCode: 200, content: '<!doctype html><title>Welcome</title>' });
  const error = await server.builder().build().start().catch((error) => error);
  assert.match(error.message, /^http:\/\/example\.org\/chat\/negotiate answered 200 .* Not a hub\?$/);
  assert.match(error.message, /<!doctype html>/);
  assert.doesNotMatch(error.message, /Unexpected token/);
});

test('what was asked and what was answered is on the error', async () => {
  const server = new Server();
  server.respond = () => refused(404);
  const error = await server.builder().build().start().catch((error) => error);
  assert.equal(error.statusCode, 404);
  assert.ok(error instanceof hubwire.HttpError);
});

test('negotiation has as long as the server may be silent, polls have longer', async () => {
  const server = new Server();
  server.answer.availableTransports = [OFFERS.LongPolling];
  pollable(server);
  const connection = server.builder().withServerTimeout(20_000).build();
  await connection.start();
  await connection.stop();
  const limits = Object.fromEntries(server.requests.map(({ method, content, timeout }) => [content ? 'send' : method, timeout]));
  assert.deepEqual(limits, { POST: 20_000, GET: 100_000, send: 100_000, DELETE: 20_000 });
});

test('negotiate may refuse with words', async () => {
  const server = new Server();
  server.answer = { error: 'come back tomorrow' };
  await assert.rejects(server.builder().build().start(), /come back tomorrow/);
});

test('where negotiation is skipped, it is by WebSocket', async () => {
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder({ skipNegotiation: true }));
  assert.equal(socket.url, 'ws://example.org/chat');
  assert.equal(connection.connectionId, null);
  assert.deepEqual(server.requests, []);
  await connection.stop();
});

test('nothing on offer that can be used is said, each with its reason', async () => {
  const server = new Server();
  server.answer.availableTransports = [{ transport: 'Pigeons', transferFormats: ['Text'] }, OFFERS.ServerSentEvents, OFFERS.LongPolling];
  const error = await server.builder({ transport: hubwire.HttpTransportType.WebSockets }).build().start().catch((error) => error);
  assert.match(error.message, /^No transport worked\. Pigeons: unusable ServerSentEvents: /);
  assert.deepEqual(error.attempts.map(({ transport }) => transport), ['Pigeons', 'ServerSentEvents', 'LongPolling']);
  assert.equal(error.attempts.filter(({ error }) => error instanceof Error).length, 3);
});

/** A server whose polls are answered: it knows one connection, over long polling, by its messages. */
function pollable(server) {
  const polls = [];
  const answers = [];
  const answer = JSON.stringify(server.answer);
  let open = false;
  server.respond = ({ method, url, content }) => {
    if (url.includes('/negotiate')) return { statusCode: 200, content: answer };
    if (method === 'POST') {
      if (content.includes('protocol')) answers.push({ statusCode: 200, content: '{}\x1e' });
      if (polls.length && answers.length) polls.shift()(answers.shift());
      return { statusCode: 200 };
    }
    if (method === 'DELETE') return { statusCode: 202 };
    if (open) return answers.shift() ?? new Promise((resolve) => polls.push(resolve));
    open = true;
    return { statusCode: 200, content: '' };
  };
}

for (const [name, meet] of [
  ['an upgrade that hangs', () => {}],
  ['a socket that opens and is dead', (socket) => socket.open()],
]) {
  test(`${name} falls through to the next transport, which is remembered`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const server = new Server();
    server.answer.availableTransports = [OFFERS.WebSockets, OFFERS.LongPolling];
    pollable(server);
    const connection = server.builder().build();
    const started = connection.start();
    const socket = await server.sockets.next();
    meet(socket);
    await settle();
    t.mock.timers.tick(5_000);
    assert.ok(socket.isClosed);
    await settle();
    t.mock.timers.tick(0);
    await started;
    assert.equal(connection.transport, 'LongPolling');
    assert.deepEqual(connection.attempts.map(({ transport, error }) => [transport, error?.name]), [
      ['WebSockets', 'TimeoutError'],
      ['LongPolling', undefined],
    ]);
    assert.equal(server.requests.filter(({ url }) => url.includes('negotiate')).length, 2, 'an id is for one transport');
    const stopped = connection.stop();
    await settle();
    t.mock.timers.tick(10_000);
    await stopped;

    pollable(server);
    const again = connection.start();
    await settle();
    t.mock.timers.tick(0);
    await again;
    assert.deepEqual(connection.attempts.map(({ transport }) => transport), ['LongPolling']);
    assert.equal(server.sockets.length, 0);
    connection.stop();
    await settle();
    t.mock.timers.tick(10_000);
  });
}

test('the last transport has as long as the server may be silent', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const server = new Server();
  const connection = server.builder().build();
  const started = connection.start();
  started.catch(() => {});
  const socket = await server.sockets.next();
  t.mock.timers.tick(29_000);
  await settle();
  assert.equal(socket.isClosed, false);
  t.mock.timers.tick(1_000);
  assert.ok(socket.isClosed);
  await assert.rejects(started, /No transport worked\. WebSockets: Connection lost: timeout/);
});

test('a refused handshake ends the start, and no other transport is asked', async () => {
  const server = new Server();
  server.answer.availableTransports.push(OFFERS.LongPolling);
  const connection = server.builder().build();
  const started = connection.start();
  const socket = await server.sockets.next();
  socket.open();
  socket.say({ error: "The protocol 'json' is not supported." });
  await assert.rejects(started, { message: "The protocol 'json' is not supported." });
  assert.equal(server.requests.length, 1);
});

test('stop during start: one typed error, no socket left', async () => {
  for (const until of ['token', 'negotiate', 'socket', 'handshake']) {
    const server = new Server();
    const options = {};
    if (until === 'token') options.accessTokenFactory = () => new Promise(() => {});
    if (until === 'negotiate') server.respond = () => new Promise(() => {});
    const connection = server.builder(options).build();
    let closes = 0;
    connection.onclose(() => { closes += 1; });
    const started = connection.start().catch((error) => error);
    let socket;
    if (until === 'socket' || until === 'handshake') socket = await server.sockets.next();
    if (until === 'handshake') socket.open();
    await connection.stop();
    assert.equal((await started).name, 'AbortError', until);
    assert.ok((await started) instanceof hubwire.AbortError);
    assert.equal(connection.state, 'Disconnected');
    assert.equal(socket?.isClosed, socket && true);
    await settle();
    assert.equal(server.sockets.length, 0);
    assert.equal(closes, 0);
  }
});

test('stop in the turn of start opens nothing', async () => {
  const server = new Server();
  const connection = server.builder().build();
  const started = connection.start();
  const stopped = connection.stop();
  await assert.rejects(started, { name: 'AbortError' });
  await stopped;
  await settle();
  assert.equal(server.sockets.length, 0);
});

test('a second start is an error of its own, and the first goes on', async () => {
  const server = new Server();
  const connection = server.builder({ skipNegotiation: true, transport: 1 }).build();
  const started = connection.start();
  await assert.rejects(connection.start(), /^Error: Connection is Connecting$/);
  await (await server.sockets.next()).accept();
  await started;
  assert.equal(server.sockets.length, 0);
  await connection.stop();
});

test("start, stop and start in one turn, as React's StrictMode has it: one error, one socket", async () => {
  const server = new Server();
  const connection = server.builder({ skipNegotiation: true, transport: 1 }).build();
  const first = connection.start().catch((error) => error);
  connection.stop();
  const second = connection.start();
  assert.ok((await first) instanceof hubwire.AbortError);
  await (await server.sockets.next()).accept();
  await second;
  assert.equal(connection.state, 'Connected');
  await settle();
  assert.equal(server.sockets.length, 0);
  await connection.stop();
});

test('an EventSource that is missing or throws is passed over', async () => {
  for (const EventSource of [undefined, class { constructor() { throw new Error('blocked here'); } }]) {
    const server = new Server();
    server.answer.availableTransports = [OFFERS.ServerSentEvents, OFFERS.LongPolling];
    pollable(server);
    const connection = server.builder({ EventSource }).build();
    await connection.start();
    assert.equal(connection.transport, 'LongPolling');
    assert.match(connection.attempts[0].error.message, EventSource ? /blocked here/ : /unusable/);
    await connection.stop();
  }
});

test('what worked is tried first for the rest of the session, by other connections too', async (t) => {
  globalThis.sessionStorage = {};
  t.after(() => delete globalThis.sessionStorage);
  for (const [offers, used] of [[['LongPolling'], 1], [['WebSockets', 'LongPolling'], 1]]) {
    const server = new Server();
    server.answer.availableTransports = offers.map((name) => OFFERS[name]);
    pollable(server);
    const connection = server.builder().build();
    await connection.start();
    assert.equal(connection.transport, 'LongPolling');
    assert.equal(connection.attempts.length, used);
    await connection.stop();
  }
});

test('a storage that must not be used is none', async (t) => {
  Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, get() { throw new Error('SecurityError'); } });
  t.after(() => delete globalThis.sessionStorage);
  const server = new Server();
  const { connection } = await server.connect(server.builder());
  assert.equal(connection.transport, 'WebSockets');
  await connection.stop();
});

test('why a transport failed is told to the server at the next negotiation', async () => {
  const server = new Server();
  server.answer.availableTransports = [OFFERS.WebSockets, OFFERS.LongPolling];
  pollable(server);
  const connection = server.builder().build();
  const started = connection.start();
  (await server.sockets.next()).end(4000, `no & ${'\u{1f6ab}'.repeat(400)}`);
  await started;
  const [first, second] = server.requests.filter(({ url }) => url.includes('/negotiate')).map(({ url }) => new URL(url).searchParams);
  assert.equal(first.get('failed'), null);
  assert.match(second.get('failed'), /^ WebSockets: Connection lost: 4000 no & \?+$/);
  assert.equal(second.get('failed').length, 500);
  await connection.stop();
});

test('headers go with requests and to a WebSocket class that was given', async () => {
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder({ headers: { 'X-Tenant': 'acme' } }));
  assert.equal(server.requests[0].headers['X-Tenant'], 'acme');
  assert.equal(socket.headers['X-Tenant'], 'acme');
  await connection.stop();
});

test("a transport of the application's is used as it is", async () => {
  const server = new Server();
  const sent = [];
  const transport = {
    async connect(url, format) {
      sent.push(url, format);
    },
    async send(data) {
      sent.push(data);
      if (data.includes('protocol')) setImmediate(() => this.onreceive('{}\x1e'));
    },
    async stop() {
      sent.push('stopped');
    },
  };
  const connection = server.builder({ transport }).build();
  await connection.start();
  await connection.send('Hi');
  await connection.stop();
  assert.deepEqual(sent.slice(0, 2), ['http://example.org/chat?id=secret', 1]);
  assert.equal(sent.at(-1), 'stopped');
  assert.ok(sent.some((data) => String(data).includes('Hi')));
});
