// What the programmer is told: at start, when a call goes wrong, and at the end of each connection.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { plain } from './kit/clients.mjs';
import { ServerProcess } from './kit/process.mjs';
import { RawClient } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { Stage } from './kit/stage.mjs';

const server = await TestServer.start();
after(() => server.stop());

const connect = (t, path) => new Stage(t, plain, server).connect(path);

/** How many lines so far match all patterns. */
const count = (server, ...patterns) =>
  server.lines.filter((line) => patterns.every((pattern) => pattern.test(line))).length;

test('a hub is announced once where it is mounted, however many workers serve it', async () => {
  for (const [name, path] of [['hub', '/hub'], ['big', '/big'], ['big', '/v1.0/hub'], ['Echo', '/raw']]) {
    const line = await server.logged(new RegExp(`INFO.*hub mounted.*hub="${name}" path="${path}"`));
    assert.match(line, /transports="?WebSockets, ServerSentEvents, LongPolling, ShortPolling/);
  }
  const places = server.lines.filter((line) => line.includes('hub mounted')).map((line) => line.match(/path="[^"]*"/)[0]);
  assert.equal(new Set(places).size, places.length);
});

test('an argument that does not fit is one warning that names all there is to know', async (t) => {
  const client = await connect(t);
  await client.refusal('Add', 1, 'two');
  const line = await server.logged(/WARN.*arguments do not fit.*method="add"/);
  for (const part of [/hub="hub"/, /parameter="b"/, /rust_type="i32"/, /invalid type: string/]) {
    assert.match(line, part);
  }
  assert.equal(count(server, /arguments do not fit/, /method="add"/), 1);
});

test('a field of another case is noticed', async (t) => {
  const client = await connect(t);
  assert.equal(await client.invoke('Greet', { first_name: 'Ada' }), 'hello Ada');
  await client.refusal('Greet', { firstName: 'Ada' });
  const line = await server.logged(/WARN.*method="greet"/);
  assert.match(line, /the client sent `firstName`, the type wants `first_name`: put #\[serde\(rename_all = \\"camelCase\\"\)\] on it/);
});

test('why a client fell back is in the log, escaped and bounded', async () => {
  const failed = encodeURIComponent(`WebSockets: no\n"${'x'.repeat(600)}`);
  const response = await fetch(`${server.url}/hub/negotiate?negotiateVersion=1&failed=${failed}`, { method: 'POST' });
  assert.equal(response.status, 200);
  assert.match(await server.logged(/client falls back/), /INFO.*hub="hub" failures="WebSockets: no\\n\\"x{484}"$/);
});

test('the nearest method is in the log and not on the wire', async (t) => {
  const client = await connect(t);
  const refusal = await client.refusal('SendAl', 'x');
  assert.match(await server.logged(/WARN.*unknown method.*SendAl/), /nearest="SendAll"/);
  assert.equal(refusal.includes('SendAll'), false);
  await client.refusal('Quux');
  assert.doesNotMatch(await server.logged(/WARN.*unknown method.*Quux/), /nearest/);
});

test('a failure and a panic are in the log with their sources', async (t) => {
  const client = await connect(t);
  await client.refusal('FailPlain', 'the disk is full');
  await server.logged(/ERROR.*method failed.*fail_plain.*the disk is full/);
  await client.refusal('Panic');
  await server.logged(/ERROR.*method panicked.*as the client wished/);
});

test('each connection ends with one line', async (t) => {
  const client = await connect(t);
  const { id } = client;
  await client.stop();
  const line = await server.logged(new RegExp(`INFO.*connection closed.*id=${id}`));
  for (const part of [/hub="hub"/, /transport="WebSockets"/, /age_seconds=\d+/, /reason=client closed/]) {
    assert.match(line, part);
  }
  assert.equal(count(server, /connection closed/, new RegExp(id)), 1);
});

test('a hub that was built for each worker is one clear error', async (t) => {
  const misused = await ServerProcess.start('misuse', { MISUSE: 'inside' });
  t.after(() => misused.stop());
  await misused.logged(/ERROR.*built inside the closure of HttpServer::new.*build it before the closure/);
  await misused.fetch('/lone/negotiate?negotiateVersion=1', { method: 'POST' });
  assert.equal(count(misused, /ERROR/), 1);
});

test('a server without our settings is warned about once', async (t) => {
  const misused = await ServerProcess.start('misuse', { MISUSE: 'inside' });
  t.after(() => misused.stop());
  for (let i = 0; i < 3; i += 1) await RawClient.open(t, `${misused.url}/lone`);
  await misused.logged(/WARN.*call \.hubwire\(&\[\.\.\.\]\) on it, before bind/);
  assert.equal(count(misused, /WARN/), 1);
});

test('an option that makes no sense stops the start and is named', async () => {
  await assert.rejects(
    ServerProcess.start('misuse', { MISUSE: 'option' }),
    /hub Lone cannot be built: option `keep_alive_interval` is 0ns: it must be longer than zero/,
  );
});

test('programs that log through env_logger see the same', async (t) => {
  const minimal = await ServerProcess.start('minimal');
  t.after(() => minimal.stop());
  await minimal.logged(/INFO.*hub mounted.*hub="Chat" path="\/chat"/);
  const client = new Stage(t, plain, minimal).build('/chat');
  await client.connection.start();
  await client.refusal('SendMessage', 1, 2);
  await minimal.logged(/WARN.*arguments do not fit.*parameter="user"/);
  await client.stop();
  await minimal.logged(/INFO.*connection closed.*reason=client closed/);
});
