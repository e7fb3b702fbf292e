// Two conformance servers and a Redis: what tests ask one of them about clients of the other.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import * as signalr from '@microsoft/signalr';

import { ServerProcess } from './kit/process.mjs';
import { RedisServer, skip } from './kit/redis.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, until, within } from './kit/within.mjs';

const options = { skip, timeout: 60_000 };
const redis = skip || (await RedisServer.start());
after(() => redis.kill?.());

const join = () => ServerProcess.start('conformance', { REDIS_URL: redis.url });
const [one, other] = skip ? [] : await Promise.all([join(), join()]);
after(() => Promise.all([one, other].map((server) => server?.stop())));

/** A client of `path` on a server. */
async function connect(t, server, path, settings = {}) {
  const builder = new signalr.HubConnectionBuilder().withUrl(server.url + path, settings).configureLogging(signalr.LogLevel.None);
  const client = new Client(builder.build());
  t.after(() => client.stop());
  await within(SOON, client.connection.start(), 'the start of a connection');
  client.id = client.connection.connectionId;
  return client;
}

const post = (server, path) => server.fetch(path, { method: 'POST' });
const logged = (server, id, entries) =>
  until(SOON, `the log of ${id} to be ${entries}`, async () => String(JSON.parse(await server.fetch(`/control/log/${id}`))) === String(entries));

test('a token of one server is good at the other', options, async (t) => {
  const token = await one.fetch('/generateJwtToken?user=ada&ttl=60');
  const client = await connect(t, other, '/authorizedhub', { accessTokenFactory: () => token });
  assert.equal(await client.invoke('WhoAmI'), 'ada');

  // Both send on with one count.
  const number = async (server) => JSON.parse(await post(server, '/redirect/negotiate?baseUrl=b')).url.split('=')[1];
  const first = Number(await number(one));
  assert.deepEqual([await number(other), await number(one)], [`${first + 1}`, `${first + 2}`]);

  // Negotiated with one, opened with the other.
  const { connectionToken } = JSON.parse(await post(one, '/accept/negotiate?negotiateVersion=1'));
  const settings = { transport: signalr.HttpTransportType.WebSockets, skipNegotiation: true };
  const stray = await connect(t, other, `/accept?id=${connectionToken}`, settings);
  assert.equal(await stray.invoke('Echo', 'found'), 'found');
});

test('clients of one server are asked, counted and closed through the other', options, async (t) => {
  const client = await connect(t, one, '/accept');
  const witness = await connect(t, other, '/accept');
  client.connection.on('Shout', (text) => text.toUpperCase());
  client.connection.on('Result', () => 42);
  for (const server of [one, other]) {
    assert.equal(await server.fetch(`/control/ask/${client.id}?method=Shout&arg=hey`), 'ok:HEY');
    assert.equal(await server.fetch(`/clientresult/${client.id}`), '42');
    assert.equal(await server.fetch('/control/ask/nobody?method=Shout'), "err:Connection 'nobody' does not exist.");
    await until(SOON, 'both to be counted', async () => (await server.fetch('/control/count/accept')) === '2');
    assert.equal(await server.fetch('/control/count/accept-fast'), '0');
    await post(server, `/control/broadcast?msg=${server.port}`);
    for (const { heard } of [client, witness].map((each) => ({ heard: each.heard('Notify') }))) {
      assert.equal(await heard.next(), String(server.port));
    }
  }
  const close = (query) => fetch(`${other.url}/control/close/${query}`, { method: 'POST' }).then(({ status }) => status);
  assert.equal(await close('nobody'), 404);
  assert.equal(await close(`${client.id}?error=bye`), 200);
  assert.match((await within(SOON, client.closed, 'the end of the client')).message, /bye/);
  await until(SOON, 'one to be left', async () => (await other.fetch('/control/count/accept')) === '1');
  await until(SOON, 'it to be unknown', async () => (await close(client.id)) === 404);

  const tester = await connect(t, one, '/testhub');
  assert.equal(await close(tester.id), 200);
  await within(SOON, tester.closed, 'the end of the client of another hub');
});

test('what happened to a client outlives its server', options, async (t) => {
  const victim = await join();
  const client = await connect(t, victim, '/accept');
  for (const number of [1, 2, 3]) await client.invoke('Append', number);
  assert.deepEqual(await client.invoke('Appended'), [1, 2, 3]);
  const gone = await connect(t, victim, '/accept');
  await gone.stop();
  for (const server of [one, other, victim]) {
    await logged(server, client.id, ['connected']);
    await logged(server, gone.id, ['connected', 'disconnected']);
  }
  await victim.kill();
  await logged(one, client.id, ['connected']);
});

test('whoever polled a server that died is told at once', options, async (t) => {
  const victim = await join();
  const negotiated = async () => JSON.parse(await post(victim, '/accept/negotiate?negotiateVersion=1')).connectionToken;
  const [polled, fresh] = [await negotiated(), await negotiated()];
  const ask = (server, token, init) => fetch(`${server.url}/accept?id=${token}`, init).then(({ status }) => status);
  assert.equal(await ask(victim, polled), 200);

  // What comes behind it has come: so has the word of that poll.
  const witness = await connect(t, one, '/accept');
  const sender = await connect(t, victim, '/accept');
  await sender.invoke('SendAll', 'behind');
  assert.equal(await witness.heard('Notify').next(), 'behind');
  await victim.kill();
  for (const init of [{}, { method: 'POST', body: '{}' }, { method: 'DELETE' }]) assert.equal(await ask(one, polled, init), 404);

  // A client that did not get so far may go on here.
  assert.equal(await ask(one, fresh), 200);
});
