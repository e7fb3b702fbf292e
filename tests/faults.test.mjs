// Bad networks and bad proxies between the official client and the server: what the client falls back to, what a call is told, when the server notices, and that nothing stays behind.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { unforced } from './kit/clients.mjs';
import {
  FaultProxy, cutAnswer, delay, each, everyNth, hang, holdBack, loseAnswer, loseRequest, pass, refuse, silence,
} from './kit/faults.mjs';
import { Poller } from './kit/poller.mjs';
import { END, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { Stage } from './kit/stage.mjs';
import { SOON, until, within } from './kit/within.mjs';

/** Far longer than the times of /fast, where half-open links have to be noticed. */
const NOTICED = 20_000;

const server = await TestServer.start();
after(() => server.stop());

/** A test of what happens behind a proxy with a `rule`; whatever it is, neither a connection nor a socket of the server's is left of it. */
function behind(name, rule, body) {
  test(name, { timeout: 120_000 }, async (t) => {
    const road = new Road(t, await FaultProxy.start(t, server.port, rule));
    await body(road);
    await Promise.all(road.clients.map((client) => client.stop()));
    for (const hub of ['hub', 'fast', 'big']) await server.counted(0, hub, NOTICED);
    await given();
  });
}

/** Waits until the server has given its sockets back. */
const given = () => until(NOTICED, 'the sockets to be given back', () => server.sockets() === 0);

/** What leads from clients to the server. */
class Road {
  clients = [];

  constructor(t, proxy) {
    this.proxy = proxy;
    this.stage = new Stage(t, unforced, server);
  }

  /** A client of `path`, not started. It pings every second, and waits for the server as long as `patience`. */
  build(path = '/hub', { patience = 30_000, retries = [] } = {}) {
    const tune = (builder) =>
      builder.withKeepAliveInterval(1_000).withServerTimeout(patience).withAutomaticReconnect(retries);
    const client = this.stage.build(path, { at: this.proxy.url, tune });
    this.clients.push(client);
    return client;
  }

  async connect(path, options) {
    const client = this.build(path, options);
    await client.start();
    return client;
  }
}

const NO_UPGRADE = { upgrade: refuse(403) };
const POLLS_ONLY = { upgrade: refuse(403), stream: refuse(403) };

const WAYS_DOWN = [
  ['an upgrade that is refused', NO_UPGRADE, 'ServerSentEvents'],
  ['an upgrade that is taken for a page', { upgrade: refuse(200) }, 'ServerSentEvents'],
  ['an upgrade that is cut off', { upgrade: loseRequest }, 'ServerSentEvents'],
  ['an upgrade whose answer is lost', { upgrade: loseAnswer }, 'ServerSentEvents'],
  ['no upgrade and no event stream', POLLS_ONLY, 'LongPolling'],
  ['nothing in the way', {}, 'WebSockets'],
];

for (const [name, faults, transport] of WAYS_DOWN) {
  behind(`${name}: ${transport}`, each(faults), async (road) => {
    const client = await road.connect();
    assert.equal(await client.invoke('Add', 1, 2), 3);
    await server.broadcast('down');
    assert.equal(await client.heard('Notify').next(), 'down');
    await client.stop();
    assert.equal((await server.ending(client.id)).transport, transport);
  });
}

behind('an upgrade that hangs holds up its client, and nobody else', each({ upgrade: hang }), async (road) => {
  const client = road.build();
  const started = client.start();
  await until(SOON, 'the upgrade', () => road.proxy.seen.includes('upgrade'));
  assert.equal(await server.count(), 0);
  road.proxy.cut();
  await started;
  await client.stop();
  assert.equal((await server.ending(client.id)).transport, 'ServerSentEvents');
});

const LATE = delay(200);

behind('everything takes its time', each({ negotiate: LATE, upgrade: delay(200, refuse(403)), stream: LATE, send: LATE }), async (road) => {
  const client = await road.connect();
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => client.invoke('Echo', n))), [1, 2, 3]);
});

behind('an event stream that a proxy holds back: both sides give up', each({ upgrade: refuse(403), stream: holdBack }), async (road) => {
  const client = road.build('/fast', { patience: 2_000 });
  await assert.rejects(client.start(), /Server timeout elapsed/);
  const end = await server.logged(/connection closed.*hub="fast".*transport="ServerSentEvents"/);
  assert.match(end, /reason=network lost/);
});

behind('an upgrade behind which nothing passes is a handshake that does not come', each({ upgrade: silence }), async (road) => {
  const client = road.build('/fast', { patience: 2_000 });
  await assert.rejects(client.start(), /Server timeout elapsed/);
  await server.logged(/connection closed.*hub="fast".*transport="WebSockets".*reason=handshake timeout/, NOTICED);
});

for (const [transport, blocked] of [['ServerSentEvents', NO_UPGRADE], ['LongPolling', POLLS_ONLY]]) {
  behind(`a POST that does not arrive is an error for its caller alone (${transport})`, each(blocked), async (road) => {
    const client = await road.connect();
    await client.invoke('Append', 1);
    road.proxy.rule = each({ ...blocked, send: loseRequest });
    await client.refusal('Append', 2);
    road.proxy.rule = each(blocked);
    await client.invoke('Append', 3);
    assert.deepEqual(await client.invoke('Appended'), [1, 3]);
    await client.stop();
    assert.equal((await server.ending(client.id)).transport, transport);
  });

  behind(`a POST whose answer is lost has arrived, once (${transport})`, each(blocked), async (road) => {
    const client = await road.connect();
    road.proxy.rule = each({ ...blocked, send: loseAnswer });
    // A result would come another way, and may be faster than the error.
    await assert.rejects(within(SOON, client.connection.send('Append', 1), 'the end of a POST'));
    road.proxy.rule = each(blocked);
    assert.deepEqual(await client.invoke('Appended'), [1]);
  });

  behind(`a client that comes back as often as it takes (${transport})`, each(blocked), async (road) => {
    const retries = Array.from({ length: 50 }, () => 20);
    const client = await road.connect('/hub', { retries });
    let reconnects = 0;
    client.connection.onreconnected(() => {
      reconnects += 1;
    });
    const rules = [everyNth(7, cutAnswer(0)), everyNth(10, loseRequest), everyNth(11, loseAnswer)];
    road.proxy.rule = (exchange) =>
      blocked[exchange.kind] ?? rules.map((rule) => rule(exchange)).find((fault) => fault !== pass) ?? pass;
    let answers = 0;
    await until(60_000, 'thirty answers', async () => {
      const call = client.connection.invoke('Echo', answers).catch((error) => error);
      const answer = await within(SOON, Promise.race([call, client.closed]), 'an answer or an error');
      assert.notEqual(client.connection.state, 'Disconnected');
      if (answer === answers) answers += 1;
      return answers === 30;
    });
    road.proxy.rule = each(blocked);
    // A lost POST is the call's trouble alone; a lost poll is the connection's.
    if (transport === 'LongPolling') assert.ok(reconnects > 0);
  });
}

behind('a poll that is cut ends the official client, and the server forgets it in time', each(POLLS_ONLY), async (road) => {
  const client = await road.connect('/fast');
  road.proxy.rule = each({ ...POLLS_ONLY, poll: cutAnswer(0) });
  client.connection.send('SendCaller', 'on its way').catch(() => {});
  assert.ok((await client.close()) instanceof Error);
  assert.equal(await server.farewell(client.id, NOTICED), 'network lost');
});

behind('a client that polls again misses nothing of what was cut midway', () => pass, async ({ proxy }) => {
  const poller = await Poller.open(server, { at: proxy.url, path: '/big' });
  await poller.shake();
  // More than the kernels on the way take off the server's hands, which counts as delivered; what follows waits behind it.
  const size = 16 << 20;
  await poller.post(invocation('BroadcastBig', [size, 1], '1') + invocation('Burst', [100], '2'));
  for (const fault of [loseAnswer, cutAnswer(0), loseRequest, cutAnswer(100_000)]) {
    proxy.rule = each({ poll: fault });
    await assert.rejects(poller.poll());
  }
  proxy.rule = () => pass;
  let text = '';
  while (!text.includes('"invocationId":"2"')) text += (await poller.poll())[1];
  const messages = text.split(END).slice(0, -1).map((message) => JSON.parse(message));
  const heard = (event) => messages.filter(({ target }) => target === event).map((message) => message.arguments[0]);
  assert.deepEqual(heard('Big').map((text) => text.length), [size]);
  assert.deepEqual(heard('Number'), Array.from({ length: 100 }, (_, i) => i));
  await poller.delete();
});

/** Waits until an idle client has sent two things, which can only be pings: the first has arrived, and the server holds the client to it. */
async function twoPings(proxy) {
  const before = proxy.chunks;
  await until(SOON, 'two pings', () => proxy.chunks >= before + 2);
}

const HALF_OPEN = [
  ['WebSockets', {}, 'client timeout'],
  ['ServerSentEvents', NO_UPGRADE, 'client timeout'],
  ['LongPolling', POLLS_ONLY, 'network lost'],
];

for (const [transport, faults, reason] of HALF_OPEN) {
  behind(`a link that dies without a word is noticed (${transport})`, each(faults), async (road) => {
    const client = await road.connect('/fast', { patience: 3_000 });
    if (transport !== 'LongPolling') await twoPings(road.proxy);
    road.proxy.freeze();
    assert.equal(await server.farewell(client.id, NOTICED), reason);
    assert.equal((await server.ending(client.id)).transport, transport);
    await server.counted(0, 'fast');
    // Before the proxy has let go of a single one.
    await given();
    // A client that polls finds out with its next request, 100 s later.
    if (transport !== 'LongPolling') assert.match((await client.close(NOTICED)).message, /Server timeout elapsed/);
    road.proxy.cut();
  });
}
