// Our client and the official one on a server of Microsoft's and on ours: what each can do here it can do there, and what we add is asked for and missed by nobody.
// ASP.NET Core 3.1 asks clients for no results, and speaks MessagePack only with a package that is not part of it; the rest is all here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as signalr from '@microsoft/signalr';

import { skip, startAspNet } from './kit/aspnet.mjs';
import { matrix, ours } from './kit/clients.mjs';
import { FaultProxy, each, loseAnswer, pass, refuse } from './kit/faults.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, until, within } from './kit/within.mjs';

const SERVERS = {
  'ASP.NET Core': { start: () => startAspNet('accept'), knowsAcks: false },
  Hubwire: { start: () => ServerProcess.start('conformance'), knowsAcks: true },
};

const COMBINATIONS = matrix.filter(({ client, transport, protocol }) =>
  ['official', 'hubwire'].includes(client) && ['WebSockets', 'ServerSentEvents', 'LongPolling'].includes(transport) && protocol === 'json');

before(async () => {
  if (skip) return;
  for (const server of Object.values(SERVERS)) server.process = await server.start();
});

after(async () => {
  // Asked to end it takes its time, which is not what is tested here.
  await SERVERS['ASP.NET Core'].process?.kill();
  await SERVERS.Hubwire.process?.stop();
});

/** A client that is connected, and stopped at the end of the test. */
async function connect(t, builder) {
  const client = new Client(builder.build());
  t.after(() => client.stop());
  await within(SOON, client.connection.start(), 'the start of a connection');
  client.id = client.connection.connectionId;
  return client;
}

/** A stream to the server that sends its items when it is told to. */
function upload(...items) {
  const subject = new signalr.Subject();
  const send = () => {
    items.forEach((item) => subject.next(item));
    subject.complete();
  };
  return { subject, send };
}

const unexpected = (method) => `An unexpected error occurred invoking '${method}' on the server.`;
const failed = (method) => `Failed to invoke '${method}' due to an error on the server.`;

for (const [at, server] of Object.entries(SERVERS)) {
  for (const combination of COMBINATIONS) {
    const scenario = (name, body) =>
      test(`${name} (${combination.name}, at ${at})`, { skip, timeout: 60_000 }, (t) =>
        body(t, (at = server.process.url, tune = (builder) => builder) => connect(t, tune(combination.builder(`${at}/accept`)))));

    scenario('calls and their errors', async (t, connect) => {
      const client = await connect();
      assert.equal(await client.invoke('GetTransport'), combination.transport);
      assert.equal(await client.invoke('GetConnectionId'), client.id);
      for (const text of ['Grüße, 世界 👋 \u2028', '', null, 'x'.repeat(100_000)]) assert.equal(await client.invoke('Echo', text), text);
      assert.equal(await client.invoke('aDD', 2, 3), 5);
      assert.equal((await client.invoke('Nothing')) ?? null, null);
      assert.equal(await client.refusal('Fail', 'no'), `${unexpected('Fail')} HubException: no`);
      assert.equal(await client.refusal('FailPlain', 'no'), unexpected('FailPlain'));
      assert.equal(await client.refusal('missing'), `${failed('missing')} HubException: Method does not exist.`);
      assert.equal(await client.refusal('Add', 1, 'two'), failed('Add'));
    });

    scenario('streams both ways', async (t, connect) => {
      const client = await connect();
      const counter = client.stream('Counter', 3, 1);
      assert.equal(await counter.end(), 'complete');
      assert.deepEqual(counter.items.all, [0, 1, 2]);
      const broken = client.stream('CounterThenFail', 2);
      assert.match(await broken.end(), /stream broke/);
      assert.deepEqual(broken.items.all, [0, 1]);
      const endless = client.stream('Counter', 1_000_000, 5);
      await endless.items.next();
      endless.stop();

      const numbers = upload(1, 2, 39);
      const sum = client.invoke('Sum', numbers.subject);
      numbers.send();
      assert.equal(await sum, 42);
      const [left, right] = [upload(1, 2), upload('a', 'b')];
      const joined = client.invoke('TwoStreams', left.subject, '-', right.subject);
      left.send();
      right.send();
      assert.equal(await joined, '3-ab');
      const halves = upload(1, 2, 3);
      const doubled = client.stream('Doubled', halves.subject);
      halves.send();
      assert.equal(await doubled.end(), 'complete');
      assert.deepEqual(doubled.items.all, [2, 4, 6]);
    });

    scenario('broadcasts and groups, in order', async (t, connect) => {
      const [ann, ben] = await Promise.all([connect(), connect()]);
      await ann.invoke('JoinGroup', 'tea');
      await ben.invoke('SendGroup', 'tea', 'to the group');
      await ben.invoke('SendAll', 'to all');
      assert.deepEqual([await ann.heard('Notify').next(), await ann.heard('Notify').next()], ['to the group', 'to all']);
      assert.equal(await ben.heard('Notify').next(), 'to all');
      const numbers = ann.heard('Number');
      await ann.invoke('Burst', 300);
      assert.deepEqual(numbers.all, Array.from({ length: 300 }, (_, i) => i));
    });

    scenario('a lost network and a new connection', async (t, connect) => {
      const proxy = await Proxy.start(t, server.process.port);
      const client = await connect(proxy.url, (builder) => builder.withAutomaticReconnect(Array(50).fill(50)));
      const notice = new Promise((resolve) => client.connection.onreconnecting(resolve));
      const back = new Promise((resolve) => client.connection.onreconnected(resolve));
      proxy.cut();
      // Polls of ours outlive a cut, where the server makes sure of it.
      if (server.knowsAcks && combination.client === 'hubwire' && combination.transport === 'LongPolling') {
        proxy.mend();
        assert.equal(await client.invoke('GetConnectionId'), client.id);
      } else {
        await within(SOON, notice, 'the cut to be noticed');
        proxy.mend();
        const id = await within(SOON, back, 'the reconnect');
        assert.notEqual(id, client.id);
        assert.equal(await client.invoke('GetConnectionId'), id);
      }
      // While the proxy is there to hand it on.
      await client.stop();
    });

    scenario('the server ends it', async (t, connect) => {
      const client = await connect();
      client.connection.invoke('AbortMe').catch(() => {});
      await client.close();
      assert.equal(client.connection.state, 'Disconnected');
    });
  }

  test(`ours finds the way that is open, at ${at}`, { skip, timeout: 60_000 }, async (t) => {
    for (const [closed, transport] of [[[], 'WebSockets'], [['upgrade'], 'ServerSentEvents'], [['upgrade', 'stream'], 'LongPolling']]) {
      const proxy = await FaultProxy.start(t, server.process.port, each(Object.fromEntries(closed.map((kind) => [kind, refuse(403)]))));
      const client = await connect(t, ours(`${proxy.url}/accept`));
      assert.equal(client.connection.transport, transport);
      assert.equal(client.connection.attempts.length, closed.length + 1);
      assert.equal(await client.invoke('GetTransport'), transport);
      await client.stop();
    }
  });

  // Whoever may not repeat a call must not: without acknowledgements it could run twice.
  test(`what is lost is made up for where the server knows how, at ${at}`, { skip, timeout: 60_000 }, async (t) => {
    const proxy = await FaultProxy.start(t, server.process.port);
    const client = await connect(t, ours(`${proxy.url}/accept`, { transport: 4 }));
    for (const number of [1, 2]) await client.invoke('Append', number);
    let isLost = false;
    proxy.rule = ({ kind }) => {
      if (kind !== 'send' || isLost) return pass;
      isLost = true;
      return loseAnswer;
    };
    const posts = () => proxy.seen.filter((kind) => kind === 'send').length;
    const before = posts();
    const sent = await client.connection.send('Append', 3).then(() => 'sent', () => 'refused');
    assert.deepEqual([sent, posts() - before], server.knowsAcks ? ['sent', 2] : ['refused', 1]);
    assert.deepEqual(await until(SOON, 'the third number', async () => {
      const numbers = await client.invoke('Appended');
      return numbers.length > 2 && numbers;
    }), [1, 2, 3]);
    await client.stop();
  });

  test(`stateful reconnect is asked for and done without, at ${at}`, { skip, timeout: 60_000 }, async (t) => {
    for (const build of [ours, (url) => new signalr.HubConnectionBuilder().withUrl(url).configureLogging(signalr.LogLevel.None)]) {
      const client = await connect(t, build(`${server.process.url}/accept`).withStatefulReconnect());
      assert.equal(await client.invoke('Echo', 'well'), 'well');
    }
  });
}
