// Our own client on bad networks and behind bad proxies: what it falls through to and by when, that polls lose nothing, and what is left behind.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { ours } from './kit/clients.mjs';
import { FaultProxy, cutAnswer, deadUpgrade, each, hang, holdBack, loseAnswer, loseRequest, pass, refuse } from './kit/faults.mjs';
import { TestServer } from './kit/server.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, until, within } from './kit/within.mjs';

/** Far longer than the times of /fast, where half-open links have to be noticed. */
const NOTICED = 20_000;

/** Milliseconds until our client tries the next transport, here. */
const CONNECT_TIMEOUT = 500;

const server = await TestServer.start();
after(() => server.stop());

/** A test behind a proxy with a `rule`; whatever it is, neither a connection nor a socket of the server's is left of it. */
function behind(name, rule, body) {
  test(name, { timeout: 120_000 }, async (t) => {
    const proxy = await FaultProxy.start(t, server.port, rule);
    const clients = [];
    const build = (options, tune = (builder) => builder) => {
      const builder = ours(`${proxy.url}/fast`, { connectTimeout: CONNECT_TIMEOUT, ...options });
      const client = new Client(tune(builder).build());
      clients.push(client);
      return client;
    };
    await body({ proxy, build });
    await Promise.all(clients.map((client) => client.stop()));
    await server.counted(0, 'fast', NOTICED);
    await until(NOTICED, 'the sockets to be given back', () => server.sockets() === 0);
  });
}

const NO_UPGRADE = { upgrade: refuse(403) };
const NO_POLL = { poll: refuse(403) };
const NO_STREAM = { ...NO_UPGRADE, stream: refuse(403) };

for (const [name, faults, tried] of [
  ['nothing in the way', {}, ['WebSockets']],
  ['an upgrade that is refused', NO_UPGRADE, ['WebSockets', 'ServerSentEvents']],
  ['an upgrade that hangs', { upgrade: hang }, ['WebSockets', 'ServerSentEvents']],
  ['an upgrade behind which nothing is heard', { upgrade: deadUpgrade }, ['WebSockets', 'ServerSentEvents']],
  ['an event stream that is held back', { ...NO_UPGRADE, stream: holdBack }, ['WebSockets', 'ServerSentEvents', 'LongPolling']],
  ['no upgrade and no event stream', NO_STREAM, ['WebSockets', 'ServerSentEvents', 'LongPolling']],
]) {
  behind(`${name}: ${tried.at(-1)}`, each(faults), async ({ build }) => {
    const client = build();
    await client.start();
    assert.deepEqual(client.connection.attempts.map(({ transport }) => transport), tried);
    assert.equal(client.connection.transport, tried.at(-1));
    for (const { error } of client.connection.attempts.slice(0, -1)) assert.ok(error instanceof Error);
    assert.equal(await client.invoke('Add', 1, 2), 3);
    await client.stop();
    // The second time it knows.
    await client.start();
    assert.deepEqual(client.connection.attempts.map(({ transport }) => transport), [tried.at(-1)]);
  });
}

behind('long polls that are cut and POSTs that are lost lose and double nothing', each(NO_STREAM), async ({ proxy, build }) => {
  const client = build({ transport: 4 });
  const numbers = client.heard('Number');
  await client.start();
  let count = 0;
  const faults = [loseRequest, loseAnswer, cutAnswer(3), cutAnswer(0)];
  proxy.rule = ({ kind }) => {
    if (kind !== 'poll' && kind !== 'send') return pass;
    count += 1;
    return count % 4 === 0 ? faults[(count / 4) % faults.length] : pass;
  };
  for (let i = 0; i < 40; i += 1) await client.connection.send('Append', i);
  assert.deepEqual(await client.invoke('Appended'), Array.from({ length: 40 }, (_, i) => i));
  await client.invoke('Burst', 300);
  assert.deepEqual(numbers.all, Array.from({ length: 300 }, (_, i) => i));
  assert.ok(count >= 4 * faults.length, 'the network was not bad enough');
  proxy.rule = () => pass;
});

behind('who comes back takes what gets through by then', () => pass, async ({ proxy, build }) => {
  const client = build({}, (builder) => builder.withAutomaticReconnect(Array(50).fill(50)));
  await client.start();
  for (const [faults, transport] of [[NO_UPGRADE, 'ServerSentEvents'], [NO_STREAM, 'LongPolling'], [NO_POLL, 'WebSockets']]) {
    const back = new Promise((resolve) => client.connection.onreconnected(resolve));
    proxy.rule = each(faults);
    proxy.cut();
    await within(SOON, back, 'the reconnect');
    assert.equal(client.connection.transport, transport);
    assert.equal(await client.invoke('Echo', transport), transport);
  }
});
