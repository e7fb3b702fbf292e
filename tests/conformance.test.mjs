// The conformance example: what other people's test suites ask it for, asked by the official client and by hand.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import * as signalr from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

import { connect as connectRaw } from './kit/plain.mjs';
import { ServerProcess } from './kit/process.mjs';
import { RawClient } from './kit/raw.mjs';
import { Client } from './kit/stage.mjs';
import { StatefulClient } from './kit/stateful.mjs';
import { SOON, until, within } from './kit/within.mjs';

const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

const files = mkdtempSync(join(tmpdir(), 'hubwire-'));
let server;

before(async () => {
  writeFileSync(join(files, 'script.js'), 'const answer = 42;');
  server = await ServerProcess.start('conformance', { STATIC_DIR: files });
});

after(async () => {
  rmSync(files, { recursive: true });
  await server?.stop();
});

/** A client of `path` that is not started yet; an event that nobody asked for is no reason to print. */
function build(t, path, { transport, protocol = new signalr.JsonHubProtocol(), reconnects = false, ...options } = {}) {
  const builder = new signalr.HubConnectionBuilder()
    .withUrl(server.url + path, { transport: transport && signalr.HttpTransportType[transport], ...options })
    .withHubProtocol(protocol)
    .configureLogging(signalr.LogLevel.None);
  const client = new Client((reconnects ? builder.withAutomaticReconnect([0]) : builder).build());
  t.after(() => client.stop());
  return client;
}

/** A client of `path` that is connected. */
async function connect(t, path, options) {
  const client = build(t, path, options);
  await start(client);
  client.id = client.connection.connectionId;
  return client;
}

const start = (client) => within(SOON, client.connection.start(), 'the start of a connection');

/** What the message says that `client` cannot be started with. */
async function refusalOf(client) {
  const answer = await start(client).then(() => ({ message: 'it was started' }), (error) => error);
  return answer.message;
}

/** A stream to the server with these items. */
function upload(...items) {
  const subject = new signalr.Subject();
  const send = () => {
    for (const item of items) subject.next(item);
    subject.complete();
  };
  return { subject, send };
}

const bytes = (...values) => Buffer.from(values).toString('base64');
const token = (query = '') => server.fetch(`/generateJwtToken${query}`);
const post = (path) => server.fetch(path, { method: 'POST' });
const log = async (id) => JSON.parse(await server.fetch(`/control/log/${encodeURIComponent(id)}`));
const logged = (id, entries) =>
  until(SOON, `the log of ${id} to be ${entries}`, async () => String(await log(id)) === String(entries));

for (const transport of TRANSPORTS) {
  test(`calls and their errors over ${transport}`, async (t) => {
    const client = await connect(t, '/accept', { transport });
    for (const text of ['你好，世界！', '', null]) assert.equal(await client.invoke('Echo', text), text);
    const anything = { a: [1, -2.5, null, true, { '': 'b' }], É: 'ß' };
    assert.deepEqual(await client.invoke('EchoAny', anything), anything);
    assert.equal(await client.invoke('EchoBytes', bytes(0, 255, 7)), bytes(0, 255, 7));
    assert.deepEqual(await client.invoke('Digest', bytes(1, 2, 255)), [3, 1278]);
    assert.equal(await client.invoke('aDD', 2, 3), 5);
    assert.equal((await client.invoke('Nothing')) ?? null, null);
    assert.equal(await client.invoke('BigText', 30), 'abcdefghijklmnopqrstuvwxyzabcd');
    assert.equal((await client.invoke('BigText', 3_000_000)).length, 3_000_000);
    const long = 'x'.repeat(2_000_000);
    assert.equal(await client.invoke('Echo', long), long);
    assert.equal(await client.invoke('Slow', 5, 'v'), 'v');
    assert.equal(await client.invoke('GetConnectionId'), client.id);
    assert.equal(await client.invoke('GetTransport'), transport);
    assert.equal(await client.invoke('WhoAmI'), null);
    for (const number of [1, 2, 3]) await client.invoke('Append', number);
    assert.deepEqual(await client.invoke('Appended'), [1, 2, 3]);

    const unexpected = (method) => `An unexpected error occurred invoking '${method}' on the server.`;
    const failed = (method) => `Failed to invoke '${method}' due to an error on the server.`;
    assert.equal(await client.refusal('Fail', 'no'), `${unexpected('Fail')} HubException: no`);
    assert.equal(await client.refusal('FailPlain', 'no'), unexpected('FailPlain'));
    for (const method of ['missing', 'OnConnected', 'OnDisconnected']) {
      assert.equal(await client.refusal(method), `${failed(method)} HubException: Method does not exist.`);
    }
    assert.equal(await client.refusal('Add', 1), failed('Add'));
    assert.equal(await client.refusal('Add', 1, 'two'), failed('Add'));
    const mixedUp = "The client attempted to invoke the streaming 'Counter' method with a non-streaming invocation.";
    assert.equal(await client.refusal('Counter', 1, 0), mixedUp);

    const detailed = await connect(t, '/accept-fast', { transport });
    const plain = `${unexpected('failplain')} InvalidOperationException: no`;
    assert.equal(await detailed.refusal('failplain', 'no'), plain);
  });

  test(`streams to the client over ${transport}`, async (t) => {
    const client = await connect(t, '/accept', { transport });
    const counter = client.stream('Counter', 4, 1);
    assert.equal(await counter.end(), 'complete');
    assert.deepEqual(counter.items.all, [0, 1, 2, 3]);
    const broken = client.stream('CounterThenFail', 2);
    assert.match(await broken.end(), /HubException: stream broke$/);
    assert.deepEqual(broken.items.all, [0, 1]);
    const mixedUp = "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation.";
    assert.equal(await client.stream('Echo', 'x').end(), mixedUp);

    const stopped = client.heard('TicksStopped');
    const ticks = client.stream('Ticks', 1);
    assert.deepEqual(await ticks.items.take(3), [0, 1, 2]);
    ticks.stop();
    assert.ok((await stopped.next()) >= 3);
    client.stream('Ticks', 1);
    await client.invoke('Nothing');
    await client.stop();
    await logged(client.id, ['connected', 'ticks-cancelled', 'ticks-cancelled', 'disconnected']);
  });

  test(`streams to the server over ${transport}`, async (t) => {
    const client = await connect(t, '/accept', { transport });
    const numbers = upload(1, 2, 39);
    const sum = client.invoke('Sum', numbers.subject);
    numbers.send();
    assert.equal(await sum, 42);
    const texts = upload('b', 'c');
    const concat = client.invoke('Concat', 'a', texts.subject);
    texts.send();
    assert.equal(await concat, 'abc');
    const [first, second] = [upload(1, 2), upload('x', 'y')];
    const both = client.invoke('TwoStreams', first.subject, ' and ', second.subject);
    second.send();
    first.send();
    assert.equal(await both, '3 and xy');
    const pieces = upload(bytes(1, 2), bytes(3));
    const count = client.invoke('CountBytes', pieces.subject);
    pieces.send();
    assert.equal(await count, 3);
    const later = upload(20, 22);
    const told = client.heard('Sum');
    await client.connection.send('SumLater', later.subject);
    later.send();
    assert.equal(await told.next(), 42);
    const doubles = upload(1, 2, 3);
    const doubled = client.stream('Doubled', doubles.subject);
    doubles.send();
    assert.equal(await doubled.end(), 'complete');
    assert.deepEqual(doubled.items.all, [2, 4, 6]);

    const detailed = await connect(t, '/testhub', { transport });
    const failing = upload();
    const failure = detailed.refusal('StreamingConcat', failing.subject);
    failing.subject.next('Hello');
    failing.subject.error(new Error('Something bad'));
    assert.match(await failure, /invoking 'StreamingConcat' on the server. HubException: Something bad$/);
  });

  test(`what goes to clients over ${transport}`, async (t) => {
    const ada = await token('?user=ada&ttl=60');
    const [caller, other] = [
      await connect(t, '/accept', { transport, accessTokenFactory: () => ada }),
      await connect(t, '/accept', { transport }),
    ];
    assert.equal(await caller.invoke('WhoAmI'), 'ada');
    await caller.invoke('JoinGroup', 'Group');
    await other.invoke('JoinGroup', 'Group');
    const [both, me, you] = [[caller, other], [caller], [other]];
    const sends = [
      ['SendCaller', [], me],
      ['SendAll', [], both],
      ['SendOthers', [], you],
      ['SendAllExcept', [[caller.id]], you],
      ['SendClient', [other.id], you],
      ['SendClients', [[caller.id, other.id]], both],
      ['SendUser', ['ada'], me],
      ['SendUser', ['Ada'], []],
      ['SendUsers', [['ada', 'grace']], me],
      ['SendGroup', ['Group'], both],
      ['SendGroup', ['group'], []],
      ['SendGroups', [['Group', 'other']], both],
      ['SendGroupExcept', ['Group', [other.id]], me],
      ['SendOthersInGroup', ['Group'], you],
    ];
    for (const [number, [method, args]] of sends.entries()) await caller.invoke(method, ...args, `${number}`);
    await other.invoke('LeaveGroup', 'Group');
    await caller.invoke('SendGroup', 'Group', 'without the other');
    await post('/control/broadcast?msg=last');
    for (const client of both) {
      const expected = [...sends.keys()].filter((number) => sends[number][2].includes(client)).map(String);
      if (client === caller) expected.push('without the other');
      assert.deepEqual(await client.heard('Notify').before('last'), expected);
    }

    const [numbers, many, empty] = ['Number', 'Many', 'Empty'].map((event) => caller.heard(event));
    await caller.invoke('Burst', 5);
    assert.deepEqual(numbers.all, [0, 1, 2, 3, 4]);
    await caller.invoke('Drip', 2, 1);
    assert.deepEqual((await numbers.take(7)).slice(5), [0, 1]);
    await caller.invoke('SendMany', 1, 'two', null, [4], { five: 5 });
    assert.deepEqual(await many.next(), [1, 'two', null, [4], { five: 5 }]);
    await caller.invoke('SendNoArgs');
    assert.deepEqual(await empty.next(), []);
  });

  test(`endings over ${transport}`, async (t) => {
    const closeMe = async (allowReconnect, error, options) => {
      const client = await connect(t, '/accept', { transport, ...options });
      await client.invoke('CloseMe', allowReconnect, error);
      return client;
    };
    const ended = await closeMe(false, 'enough');
    assert.match((await ended.close()).message, /enough/);
    await logged(ended.id, ['connected', 'disconnected']);
    const back = build(t, '/accept', { transport, reconnects: true });
    const returned = new Promise((resolve) => back.connection.onreconnected(resolve));
    await start(back);
    const id = back.connection.connectionId;
    await post(`/control/close/${encodeURIComponent(id)}?allowReconnect=true&error=move`);
    assert.notEqual(await within(SOON, returned, 'the way back'), id);
    assert.equal(await back.invoke('Echo', 'again'), 'again');
    await logged(id, ['connected', 'disconnected']);
    const aborted = await connect(t, '/accept', { transport });
    await aborted.connection.send('AbortMe');
    await aborted.close();
    await logged(aborted.id, ['connected', 'disconnected']);
    const unknown = await fetch(`${server.url}/control/close/unknown`, { method: 'POST' });
    assert.equal(unknown.status, 404);
  });

  test(`a token is needed over ${transport} where a user is`, async (t) => {
    const hub = async (accessToken) => build(t, '/authorizedhub', { transport, accessTokenFactory: () => accessToken });
    const welcome = await hub(await token());
    await start(welcome);
    assert.deepEqual([await welcome.invoke('WhoAmI'), await welcome.invoke('Echo', 'x')], ['testuser', 'x']);
    const unauthorized = "Failed to complete negotiation with the server: Error: Unauthorized: Status code '401'";
    for (const bad of ['', 'made.up.token', await token('?ttl=-1')]) {
      assert.equal(await refusalOf(await hub(bad)), unauthorized);
    }
    const redirected = build(t, `/tokenredirect?baseUrl=${server.url}`, { transport });
    await start(redirected);
    assert.equal(await redirected.invoke('WhoAmI'), 'redirected');
  });

  test(`cookies and headers over ${transport}`, async (t) => {
    const client = await connect(t, '/testhub', { transport, headers: { 'X-Mine': 'mine' } });
    const cookies = await Promise.all(['testCookie', 'testCookie2', 'expiredCookie'].map((name) => client.invoke('GetCookie', name)));
    assert.deepEqual(cookies, ['testValue', 'testValue2', null]);
    assert.equal(await client.invoke('GetHeader', 'x-mine'), 'mine');
    assert.equal(await client.invoke('GetHeader', 'x-other'), null);
    assert.equal(await client.invoke('GetActiveTransportName'), transport);
  });

  test(`raw messages come back over ${transport}`, async (t) => {
    const raw = await connectRaw(t, server, transport, '/raw');
    await raw.send('text');
    assert.equal(await raw.messages.next(), 'text');
    if (transport !== 'ServerSentEvents') {
      await raw.send(Buffer.from([0, 255]));
      assert.deepEqual(await raw.messages.next(), Buffer.from([0, 255]));
    }
    const echo = await connectRaw(t, server, transport, '/echo');
    if (transport === 'WebSockets') {
      await echo.send('text');
      assert.equal(await echo.messages.next(), 'text');
    } else {
      assert.match(await within(SOON, echo.ended, 'the end of a connection without a cookie'), /told|ended/);
    }
  });
}

for (const protocol of [new signalr.JsonHubProtocol(), new MessagePackHubProtocol()]) {
  for (const transport of TRANSPORTS.filter((name) => name !== 'ServerSentEvents' || protocol.name === 'json')) {
    test(`clients are asked from outside over ${transport} in ${protocol.name}`, async (t) => {
      const client = await connect(t, '/accept', { transport, protocol });
      const id = encodeURIComponent(client.id);
      const ask = (query) => server.fetch(`/control/ask/${id}?${query}`);
      assert.equal(await server.fetch(`/clientresult/${id}`), "Client didn't provide a result.");
      client.connection.on('Result', () => 42);
      client.connection.on('Shout', (text) => `${text}!`);
      client.connection.on('Mute', () => 'nobody asked');
      client.connection.on('Fail', () => {
        throw new Error('no idea');
      });
      assert.equal(await server.fetch(`/clientresult/${id}`), '42');
      assert.equal(await ask('method=Shout&arg=hey'), 'ok:hey!');
      assert.equal(await ask('method=Mute'), 'ok:nobody asked');
      assert.equal(await ask('method=Result'), "err:the client's result does not fit");
      assert.equal(await ask('method=Fail'), 'err:Error: no idea');
      assert.equal(await client.invoke('Add', 1, 2), 3);
      await client.connection.stop();
      await logged(client.id, ['connected', 'disconnected']);
      assert.equal(await ask('method=Mute'), `err:Connection '${client.id}' does not exist.`);
    });
  }
}

test('values have the form of their protocol', async (t) => {
  const complex = await connect(t, '/testhub', { protocol: new MessagePackHubProtocol() });
  const object = await complex.invoke('SendComplexObject');
  assert.deepEqual([...object.ByteArray], [1, 2, 3]);
  assert.deepEqual(object.DateTime, new Date('2000-01-01T00:00:00Z'));
  assert.deepEqual(await complex.invoke('EchoComplexObject', object), object);
  const bytes = await connect(t, '/accept', { protocol: new MessagePackHubProtocol() });
  const sent = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
  assert.deepEqual(Uint8Array.from(await bytes.invoke('EchoBytes', sent)), sent);
  const hash = sent.reduce((h, byte) => (h * 31 + byte) % 65536, 0);
  assert.deepEqual(await bytes.invoke('Digest', sent), [1000, hash]);
  await assert.rejects(
    within(SOON, connect(t, '/accept-jsononly', { protocol: new MessagePackHubProtocol() }), 'a refusal'),
    /The protocol 'messagepack' is not supported\./,
  );
});

test('a stateful connection outlives its socket', async (t) => {
  const client = await StatefulClient.connect(t, `${server.url}/accept-stateful`);
  const heard = [];
  client.onmessage = (message) => heard.push(message.arguments[0]);
  for (let i = 0; i < 20; i += 1) {
    client.send('SendCaller', String(i));
    if (i % 5 === 4) await client.reconnect();
  }
  await until(SOON, 'all messages', () => heard.length >= 20);
  assert.deepEqual(heard, Array.from({ length: 20 }, (_, i) => String(i)));
  assert.deepEqual(await log(client.connectionId), ['connected']);
  assert.equal(await server.fetch('/control/count/accept-stateful'), '1');
});

test('negotiations that lead elsewhere, or nowhere', async (t) => {
  const sent = build(t, `/redirect?numRedirects=0&baseUrl=${server.url}`);
  await start(sent);
  const before = await sent.invoke('GetNumRedirects');
  await sent.stop();
  await start(sent);
  assert.ok((await sent.invoke('GetNumRedirects')) > before);
  assert.equal(await sent.invoke('GetCallerConnectionId'), sent.connection.connectionId);
  const refusals = {
    '/bad-negotiate': "Failed to complete negotiation with the server: Error: Some response from server: Status code '400'",
    '/error-negotiate': 'no seats left',
  };
  for (const [path, refusal] of Object.entries(refusals)) {
    assert.equal(await refusalOf(build(t, path)), refusal);
  }
  const redirect = await fetch(`${server.url}/echoredirect/negotiate?a=%20b`, { method: 'POST', redirect: 'manual' });
  assert.deepEqual([redirect.status, redirect.headers.get('location')], [307, '/echo/negotiate?a=%20b']);
});

test('the browser tests\' own objects and streams', async (t) => {
  const client = await connect(t, '/testhub');
  const object = {
    String: 'hello world',
    IntArray: [1, 2, 3],
    ByteArray: bytes(1, 2, 3),
    Guid: '00010203-0405-0607-0706-050403020100',
    DateTime: '2000-01-01T00:00:00Z',
  };
  assert.deepEqual(await client.invoke('SendComplexObject'), object);
  const other = { ...object, ByteArray: bytes(104, 105), DateTime: '2002-04-01T10:20:15Z' };
  assert.deepEqual(await client.invoke('EchoComplexObject', other), other);
  const [customs, messages, canceled] = ['CustomObject', 'Message', 'StreamCanceled'].map((event) => client.heard(event));
  await client.connection.send('SendCustomObject', { Name: 'test', Value: 42 });
  assert.deepEqual(await customs.next(), { Name: 'test', Value: 42 });
  await client.invoke('InvokeWithString', 'hi');
  assert.equal(await messages.next(), 'hi');
  const letters = client.stream('Stream');
  assert.equal(await letters.end(), 'complete');
  assert.deepEqual(letters.items.all, ['a', 'b', 'c']);
  assert.equal(await client.stream('EmptyStream').end(), 'complete');
  const thrown = "An unexpected error occurred invoking 'StreamThrowException' on the server. InvalidOperationException: x";
  assert.equal(await client.stream('StreamThrowException', 'x').end(), thrown);
  client.stream('InfiniteStream').stop();
  assert.deepEqual(await canceled.next(), []);
});

test('transports that are offered', async (t) => {
  const offered = async (path) => {
    const answer = JSON.parse(await post(`${path}/negotiate?negotiateVersion=1`));
    return answer.availableTransports.map(({ transport }) => transport);
  };
  assert.deepEqual(await offered('/TestHub'), TRANSPORTS);
  assert.deepEqual(await offered('/testhub-nowebsockets'), ['ServerSentEvents', 'LongPolling']);
  assert.deepEqual(await offered('/accept-wsonly'), ['WebSockets']);
  assert.deepEqual(await offered('/accept-sseonly'), ['ServerSentEvents']);
  assert.deepEqual(await offered('/accept-lponly'), ['LongPolling']);
  const fallen = await connect(t, '/testhub-nowebsockets');
  assert.equal(await fallen.invoke('GetActiveTransportName'), 'ServerSentEvents');
});

test('hubs have the options that their routes promise', async (t) => {
  const parallel = await connect(t, '/accept-parallel');
  const slow = parallel.invoke('Slow', 8_000, 'slow').catch(() => {});
  assert.equal(await parallel.invoke('Echo', 'meanwhile'), 'meanwhile');
  await parallel.stop();
  await slow;
  const small = await connect(t, '/accept-jsononly');
  await assert.rejects(small.invoke('Echo', 'x'.repeat(33_000)));
  await logged(small.id, ['connected', 'disconnected:error']);
  const count = async (hub) => Number(await server.fetch(`/control/count/${hub}`));
  const before = await count('testhub');
  await connect(t, '/testhub-nowebsockets');
  await until(SOON, 'one more', async () => (await count('testhub')) === before + 1);
  assert.equal((await fetch(`${server.url}/control/count/unknown`)).status, 404);
});

test('a hub that cannot be created says why, to the letter', async (t) => {
  const client = await RawClient.open(t, `${server.url}/uncreatable`);
  client.send('{"protocol":"json","version":0}\x1e');
  assert.deepEqual(await client.messages.next(), {});
  const why = "Unable to resolve service for type 'System.Object' while attempting to activate 'FunctionalTests.UncreatableHub'.";
  const error = `Connection closed with an error. InvalidOperationException: ${why}`;
  assert.deepEqual(await client.messages.next(), { type: 7, error });
});

test('a handshake is told what is wrong with it', async (t) => {
  const refusals = {
    '{"protocol":"xml","version":1}': "The protocol 'xml' is not supported.",
    '{"protocol":"json","version":9}': "The server does not support version 9 of the 'json' protocol.",
  };
  for (const [handshake, error] of Object.entries(refusals)) {
    const client = await RawClient.open(t, `${server.url}/accept`);
    client.send(`${handshake}\x1e`);
    assert.deepEqual(await client.messages.next(), { error });
  }
});

test('pages from everywhere are welcome', async () => {
  const origin = 'http://elsewhere.example';
  const asked = { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'x-mine' };
  for (const path of ['/accept', '/accept/negotiate', '/control/log/x', '/nothing']) {
    const preflight = await fetch(server.url + path, { method: 'OPTIONS', headers: asked });
    const granted = ['origin', 'credentials', 'methods', 'headers'].map((name) => preflight.headers.get(`access-control-allow-${name}`));
    assert.deepEqual([preflight.status, ...granted], [204, origin, 'true', 'DELETE', 'x-mine']);
  }
  const answer = await fetch(`${server.url}/authorizedhub/negotiate`, { method: 'POST', headers: { origin } });
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [401, origin]);
  const [stays, too, gone] = answer.headers.getSetCookie();
  assert.deepEqual([stays, too], ['testCookie=testValue; Path=/', 'testCookie2=testValue2; Path=/']);
  assert.match(gone, /^expiredCookie=doesntmatter; Path=\/; Expires=/);
  assert.ok(new Date(gone.split('Expires=')[1]) < new Date());
});

test('files are served, and nothing was said of all this', async () => {
  assert.equal(await server.fetch('/lib/script.js'), 'const answer = 42;');
  assert.equal(await server.fetch('/deployment'), '{}');
  const said = server.lines.slice(1).filter((line) => !/on_connected failed hub="uncreatable"/.test(line));
  assert.deepEqual(said, []);
});
