// Three servers and a Redis: what clients of different servers have of each other, and what a server that dies leaves.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { matrix, plain } from './kit/clients.mjs';
import { RedisServer, skip } from './kit/redis.mjs';
import { TestServer } from './kit/server.mjs';
import { Stage } from './kit/stage.mjs';
import { until, within } from './kit/within.mjs';

const options = { skip, timeout: 120_000 };
const redis = skip || (await RedisServer.start());
after(() => redis.kill?.());

const join = () => TestServer.start({ REDIS_URL: redis.url });
const servers = skip ? [] : await Promise.all([join(), join(), join()]);
after(() => Promise.all(servers.map((server) => server.stop())));

/** One client of each server, all of one group. */
async function members(t, combination, group, among = servers) {
  const clients = [];
  for (const server of among) {
    const client = await new Stage(t, combination, server).connect(`/hub?user=${group}`);
    await client.invoke('JoinGroup', group);
    clients.push(client);
  }
  return clients;
}

for (const combination of matrix) {
  test(`clients of three servers chat (${combination.name})`, options, async (t) => {
    const group = `chat ${combination.name}`;
    const clients = await members(t, combination, group);
    for (const [number, sender] of clients.entries()) {
      await sender.invoke('SendGroup', group, `hello from ${number}`);
      await sender.invoke('SendOthersInGroup', group, 'who hears this?');
      await sender.invoke('SendUser', group, `end of ${number}`);
      for (const client of clients) {
        const expected = client === sender ? [] : ['who hears this?'];
        assert.deepEqual(await client.heard('Notify').before(`end of ${number}`), [`hello from ${number}`, ...expected]);
      }
    }
    const [asker, , asked] = clients;
    asked.connection.on('Shout', (text) => text.toUpperCase());
    assert.equal(await asker.invoke('Ask', asked.id, 'Shout', 'hey'), 'HEY');
    assert.deepEqual((await asker.invoke('Members', group)).sort(), clients.map(({ id }) => id).sort());
    await asker.invoke('DisconnectUser', group);
    for (const client of clients) await client.close();
    assert.equal(await asker.connection.state, 'Disconnected');
  });
}

test('100,000 messages to a group of three servers', options, async (t) => {
  const clients = await members(t, plain, 'many');
  // One for each client and sender: what came last.
  const latest = clients.map(() => clients.map(() => -1));
  const wrong = [];
  clients.forEach((client, receiver) => {
    client.connection.on('Tally', (sender, number) => {
      if (number !== latest[receiver][sender] + 1) wrong.push({ receiver, sender, number, after: latest[receiver][sender] });
      latest[receiver][sender] = number;
    });
  });
  /** What a client may have waiting is bounded, and across servers nobody waits for it: so many are on their way at once. */
  const CHUNK = 1_000;
  const EACH = 34_000;
  const from = performance.now();
  for (let sent = 0; sent < EACH; sent += CHUNK) {
    await Promise.all(clients.map((client, sender) => client.invoke('CountToGroup', 'many', String(sender), sent, CHUNK)));
    await until(20_000, 'everything to arrive', () => latest.flat().every((number) => number === sent + CHUNK - 1));
  }
  assert.deepEqual(wrong, []);
  t.diagnostic(`${((3 * EACH) / (performance.now() - from) * 1000).toFixed(0)} messages a second, each to three servers`);
});

test('a server that is killed holds nobody up', options, async (t) => {
  const victim = await join();
  const clients = await members(t, plain, 'mortals', [...servers, victim]);
  const [asker, other] = clients;
  const lost = clients.pop();
  const question = new Promise((resolve) => {
    lost.connection.on('Shout', () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const refusal = asker.connection.invoke('Ask', lost.id, 'Shout', 'hey').then(
    () => assert.fail('it cannot have answered'),
    (error) => error.message,
  );
  await within(10_000, question, 'the question');
  // What comes behind it has come: so has the word that the client was asked.
  await lost.invoke('SendGroup', 'mortals', 'asked');
  for (const client of clients) assert.equal(await client.heard('Notify').next(), 'asked');
  await victim.kill();
  // Redis has noticed once it counts one subscriber less; until then the question may wait for an answer that does not come.
  await until(20_000, 'the group without it', async () => {
    const members = await other.invoke('Members', 'mortals').catch(() => []);
    return members.length === clients.length;
  });
  assert.equal(await other.refusal('Ask', lost.id, 'Shout', 'hey'), `An unexpected error occurred invoking 'Ask' on the server. HubException: Connection '${lost.id}' does not exist.`);
  await other.invoke('SendGroup', 'mortals', 'still here');
  for (const client of clients) assert.deepEqual(await client.heard('Notify').next(), 'still here');
  assert.match(await within(20_000, refusal, 'the end of the question'), /disconnected/);
});

/** What an operator reads of a server's connection to Redis. */
async function metric(server, name) {
  const line = (await server.fetch('/metrics')).split('\n').find((line) => line.startsWith(`hubwire_backplane_${name}{prefix="hubwire"}`));
  return Number(line?.split(' ').at(-1));
}

test('servers meet again after Redis was away', options, async (t) => {
  const clients = await members(t, plain, 'survivors');
  await until(10_000, 'the connection to be seen', async () => (await metric(servers[0], 'connected')) === 1);
  assert.equal(await metric(servers[0], 'gaps'), 0);
  await redis.kill();
  for (const [number, client] of clients.entries()) {
    await until(10_000, 'the server to notice', () => servers[number].lines.some((line) => line.includes('other servers hear nothing of this one')));
    await client.invoke('SendGroup', 'survivors', `alone ${number}`);
    assert.equal(await client.heard('Notify').next(), `alone ${number}`);
    assert.match(await client.refusal('Members', 'survivors'), /unexpected error/);
  }
  await until(10_000, 'the gap to be seen', async () => (await metric(servers[0], 'connected')) === 0 && (await metric(servers[0], 'gaps')) === 2);
  await redis.restart();
  await until(20_000, 'everybody to be found again', async () => {
    const found = await Promise.all(clients.map((client) => client.invoke('Members', 'survivors').catch(() => [])));
    return found.every((members) => members.length === clients.length);
  });
  await clients[0].invoke('SendGroup', 'survivors', 'together');
  for (const client of clients) assert.equal(await client.heard('Notify').next(), 'together');
  await until(10_000, 'its end to be seen', async () => (await metric(servers[0], 'connected')) === 1 && (await metric(servers[0], 'reconnects')) === 2);
  for (const name of ['published', 'received', 'dropped']) assert.ok((await metric(servers[0], name)) > 0, name);
  assert.equal(await metric(servers[0], 'unreadable'), 0);
});
