// Stateful reconnect: a lost socket that neither side's messages are lost with.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Server, settle } from './kit.mjs';

async function connect(options, tune = (builder) => builder) {
  const server = new Server();
  server.answer.useStatefulReconnect = true;
  const made = await server.connect(tune(server.builder().withStatefulReconnect(options)));
  return { server, ...made };
}

test('it is asked for, and spoken as version 2 where it is granted', async () => {
  const { server, connection, hello } = await connect();
  assert.match(server.requests[0].url, /useStatefulReconnect=true/);
  assert.equal(hello.version, 2);
  await connection.stop();

  const other = new Server();
  const refused = await other.connect(other.builder().withStatefulReconnect());
  assert.equal(refused.hello.version, 1);
  await refused.connection.stop();
});

test('a lost socket is replaced, and what was not acknowledged is sent again in its order', async () => {
  const { server, connection, socket } = await connect();
  let events = 0;
  connection.onreconnecting(() => { events += 1; });
  const call = connection.invoke('First');
  await connection.send('Second');
  await socket.next();
  await socket.next();
  socket.say({ type: 8, sequenceId: 1 });
  socket.end();
  assert.equal(connection.state, 'Connected');
  const next = await server.sockets.next();
  assert.equal(next.url, socket.url, 'no negotiation');
  await connection.send('Third');
  next.open();
  assert.deepEqual(await next.next(), { type: 9, sequenceId: 2 });
  assert.equal((await next.next()).target, 'Second');
  assert.equal((await next.next()).target, 'Third');
  next.say({ type: 9, sequenceId: 1 }, { type: 3, invocationId: '0', result: 'answer' });
  assert.equal(await call, 'answer');
  assert.equal(server.requests.length, 1);
  assert.equal(events, 0);
  await connection.stop();
});

test('with nothing under way the sequence is the next number', async () => {
  const { server, connection, socket } = await connect();
  await connection.send('One');
  socket.say({ type: 8, sequenceId: 1 });
  socket.end();
  const next = await server.sockets.next();
  next.open();
  assert.deepEqual(await next.next(), { type: 9, sequenceId: 2 });
  await connection.stop();
});

test('what comes twice is heard once, and all is ignored until the sequence', async () => {
  const { server, connection, socket } = await connect();
  const heard = [];
  connection.on('said', (text) => heard.push(text));
  const said = (text) => ({ type: 1, target: 'said', arguments: [text] });
  socket.say(said('a'), said('b'));
  socket.end();
  const next = await server.sockets.next();
  next.open();
  await next.next();
  next.say(said('too early'));
  next.say({ type: 9, sequenceId: 2 }, said('b'), said('c'));
  assert.deepEqual(heard, ['a', 'b', 'c']);
  await connection.stop();
});

test('what was received is acknowledged, a second later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { connection, socket } = await connect();
  connection.on('said', () => {});
  for (let i = 0; i < 3; i += 1) socket.say({ type: 1, target: 'said', arguments: [] });
  t.mock.timers.tick(1_000);
  assert.deepEqual(await socket.next(), { type: 8, sequenceId: 3 });
  connection.stop();
});

test('a sequence from the future is fatal', async () => {
  const { server, connection, socket } = await connect();
  const closed = new Promise((resolve) => connection.onclose(resolve));
  socket.end();
  const next = await server.sockets.next();
  next.open();
  next.say({ type: 9, sequenceId: 5 });
  assert.match((await closed).message, /Invalid payload: 5/);
  assert.ok(next.isClosed);
});

test('sends wait while too much is under way', async () => {
  const { connection, socket } = await connect({ bufferSize: 10 });
  let isSent = false;
  const sent = connection.send('Long enough').then(() => { isSent = true; });
  await settle();
  assert.equal(isSent, false);
  socket.say({ type: 8, sequenceId: 1 });
  await sent;
  const waiting = assert.rejects(connection.send('Long enough'));
  await settle();
  await connection.stop();
  await waiting;
});

test('a socket that cannot be replaced is an ordinary reconnect', async () => {
  const { server, connection, socket } = await connect(undefined, (builder) => builder.withAutomaticReconnect([0]));
  const back = new Promise((resolve) => connection.onreconnected(resolve));
  const call = connection.invoke('Never').catch((error) => error);
  socket.end();
  (await server.sockets.next()).end();
  await (await server.sockets.next()).accept();
  await back;
  assert.ok((await call) instanceof Error);
  assert.equal(server.requests.length, 2, 'negotiated anew');
  await connection.stop();
});

test('stop is no loss', async () => {
  const { server, connection, socket } = await connect();
  await connection.stop();
  socket.end(1000);
  await settle();
  assert.equal(server.sockets.length, 0);
});
