// A thousand clients come, hear one broadcast each, and leave nothing behind.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { RawClient } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { until } from './kit/within.mjs';

const CLIENTS = 1_000;
/** What may stay of each client of a wave, in KiB: the test server keeps a log entry, and a table that grew keeps its size. A connection is about 15. */
const KEPT_EACH = 1;

const server = await TestServer.start();
after(() => server.stop());

test(`two waves of ${CLIENTS} clients`, { timeout: 120_000 }, async (t) => {
  const fds = server.fds();
  // A worker's router is complete once it has been asked: what matches its routes is made then, for every endpoint that there is.
  for (let request = 0; request < 8; request += 1) await measure();
  const idle = await measure();
  const first = await wave(t, 'first');
  const second = await wave(t, 'second');
  for (const [what, { heap, rss }] of Object.entries({
    idle, full: first.full, empty: first.empty, 'full again': second.full, 'empty again': second.empty,
  })) {
    t.diagnostic(`${what}: ${heap.toFixed(0)} KiB allocated, ${rss.toFixed(0)} KiB resident`);
  }
  t.diagnostic(`per connection: ${((first.full.rss - idle.rss) / CLIENTS).toFixed(1)} KiB resident`);
  for (const [before, { full, empty }] of [[idle, first], [first.empty, second]]) {
    assert.ok(full.heap - before.heap > CLIENTS, 'connections cost something');
    assert.ok(empty.heap - before.heap <= CLIENTS * KEPT_EACH, `a wave left ${empty.heap - before.heap} KiB behind`);
  }
  await until(10_000, 'the sockets to be given back', () => server.fds() <= fds);
});

/** Memory in KiB: what the server has allocated, and what the system has given it. */
async function measure() {
  return { heap: (await server.fetch('/memory')) / 1024, rss: server.rss() * 1024 };
}

async function wave(t, name) {
  const before = server.fds();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => RawClient.connect(t, `${server.url}/hub`)),
  );
  await server.counted(CLIENTS);
  await server.broadcast(name);
  await server.broadcast('end');
  for (const client of clients) {
    for (const text of [name, 'end']) {
      assert.deepEqual(await client.messages.next(), { type: 1, target: 'Notify', arguments: [text] });
    }
  }
  const full = await measure();
  for (const client of clients) client.socket.close(1000);
  await Promise.all(clients.map((client) => client.close()));
  await server.counted(0);
  for (const client of clients) assert.equal(client.messages.all.length, 3);
  // The session is gone before its socket is.
  await until(10_000, 'the sockets to be given back', () => server.fds() < before + 50);
  return { full, empty: await measure() };
}
