// The life of a connection: its beginning, what is known of it, what keeps it, and every way it ends.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { TestServer } from '../kit/server.mjs';
import { scenariosOn } from '../kit/stage.mjs';
import { SOON, until, within } from '../kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());
const scenario = scenariosOn(server);

scenario('a client connects, is counted, and stops', async (stage) => {
  const client = stage.build();
  assert.equal(client.connection.state, 'Disconnected');
  await client.start();
  assert.equal(client.connection.state, 'Connected');
  assert.match(client.id, /^[A-Za-z0-9_-]{22}$/);
  if (stage.combination.negotiates) assert.equal(client.connection.connectionId, client.id);
  await server.counted(1);
  assert.deepEqual(await server.story(client.id), ['connected']);

  await client.stop();
  assert.equal(await client.close(), undefined);
  assert.equal(client.connection.state, 'Disconnected');
  assert.match(await server.farewell(client.id), stage.combination.saysGoodbye ? /^client closed$/ : /^(client closed|network lost)$/);
  await server.counted(0);
});

scenario('a stopped client can start again and is somebody new', async (stage) => {
  const client = await stage.connect();
  const before = client.id;
  await client.stop();
  await client.start();
  assert.notEqual(client.id, before);
  assert.equal(await client.invoke('Echo', 'again'), 'again');
});

scenario('a lost network is told from a farewell', async (stage) => {
  const proxy = await stage.proxy();
  const client = await stage.connect('/hub', { at: proxy.url });
  proxy.cut();
  assert.equal((await client.close()) instanceof Error, stage.combination.saysGoodbye);
  assert.equal(await server.farewell(client.id), 'network lost');
});

scenario('a client that reconnects is back with a new id', async (stage) => {
  const proxy = await stage.proxy();
  const client = await stage.connect('/hub', {
    at: proxy.url,
    tune: (builder) => builder.withAutomaticReconnect([0, 50, 100, 200, 400]),
  });
  const before = client.id;
  const back = new Promise((resolve) => client.connection.onreconnected(resolve));
  client.connection.onreconnecting(() => proxy.mend());
  proxy.cut();
  await within(SOON, back, 'the reconnect');
  assert.notEqual(await client.invoke('ConnectionId'), before);
  await server.farewell(before);
});

scenario('the server ends a connection without an error', async (stage) => {
  const client = await stage.connect();
  // Over polls the end may overtake the answer to the POST, and then the client says of the message that it stopped.
  client.connection.send('AbortMe').catch(() => {});
  assert.equal(await client.close(), undefined);
  assert.equal(await server.farewell(client.id), 'kicked');
});

scenario('who is sent away stays away, on every connection', async (stage) => {
  const tune = (builder) => builder.withAutomaticReconnect([0, 0, 0]);
  const anns = await stage.connectAll(2, '/hub?user=ann', { tune });
  const bob = await stage.connect('/hub?user=bob');
  let attempts = 0;
  for (const { connection } of anns) connection.onreconnecting(() => { attempts += 1; });
  assert.equal(await bob.invoke('DisconnectUser', 'ann'), 2);
  for (const ann of anns) {
    assert.equal(await ann.close(), undefined);
    assert.equal(ann.connection.state, 'Disconnected');
    assert.equal(await server.farewell(ann.id), 'kicked');
  }
  assert.equal(attempts, 0);
  assert.equal(await bob.invoke('DisconnectUser', 'ann'), 0);
});

scenario('a connection that the hub refuses is told so', async (stage) => {
  const client = stage.build('/refusing');
  // The Close may come while the client still starts or just after: both end with its text.
  const start = within(SOON, client.connection.start(), 'the start').then(() => client.close(), (error) => error);
  assert.match((await start).message, /Connection closed with an error\.$/);
});

scenario('the request that opened the connection can be read', async (stage) => {
  const client = await stage.connect('/hub?room=a%20b%26c&empty=', { headers: { 'X-Tenant': 'acme' } });
  assert.equal(await client.invoke('GetQuery', 'room'), 'a b&c');
  assert.equal(await client.invoke('GetQuery', 'empty'), '');
  assert.equal(await client.invoke('GetQuery', 'missing'), null);
  assert.equal(await client.invoke('GetHeader', 'host'), `127.0.0.1:${server.port}`);
  assert.equal(await client.invoke('GetHeader', 'X-Missing'), null);
  if (stage.combination.setsHeaders) assert.equal(await client.invoke('GetHeader', 'x-tenant'), 'acme');
});

scenario('the identity hook says who a connection is', async (stage) => {
  const ann = await stage.connect('/hub?user=ann');
  const nobody = await stage.connect();
  assert.equal(await ann.invoke('WhoAmI'), 'ann');
  assert.equal(await nobody.invoke('WhoAmI'), null);
});

scenario('keep-alives hold a quiet connection open both ways', async (stage) => {
  const proxy = await stage.proxy();
  const client = stage.build('/fast', { at: proxy.url });
  // Less than the server's client timeout of 3 s, and the other way more than its keep-alive of 1 s.
  client.connection.keepAliveIntervalInMilliseconds = 500;
  client.connection.serverTimeoutInMilliseconds = 3_000;
  await client.start();
  // Five seconds in which nothing but pings is said: longer than either timeout.
  await proxy.sends(stage.combination.ping, 5, 20_000);
  assert.equal(await client.invoke('Echo', 'still here'), 'still here');
}, { carriedBy: ({ pings }) => pings });

scenario('keep-alives go on while a call runs', async (stage) => {
  const proxy = await stage.proxy();
  const client = stage.build('/fast', { at: proxy.url });
  client.connection.keepAliveIntervalInMilliseconds = 500;
  await client.start();
  let answer = 'running';
  const call = client.invoke('Slow', 5_000, 'done').then((value) => (answer = value));
  await proxy.sends(stage.combination.ping, 2);
  assert.equal(answer, 'running');
  assert.equal(await call, 'done');
}, { carriedBy: ({ pings }) => pings });

scenario('a server that falls silent is noticed by its client', async (stage) => {
  const client = stage.build();
  // The keep-alive of /hub is 15 s, so that within one second nothing is heard.
  client.connection.serverTimeoutInMilliseconds = 1_000;
  await client.start();
  assert.ok((await client.close()) instanceof Error);
  // Where it could go on over another socket, Microsoft's client opens one on its way out, which may be faster than its
  // goodbye, and forgets it: then only its silence tells, after 30 s.
  const patience = stage.combination.outlivesSockets ? 40_000 : SOON;
  await until(patience, 'the server to notice', async () => (await server.story(client.id)).length === 2);
}, { carriedBy: ({ pings }) => pings });
