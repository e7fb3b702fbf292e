// Calls, streams and client results, message by message.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Server, hubwire, settle } from './kit.mjs';

const { Subject } = hubwire;

test('an invocation is answered by its completion, with a result or an error', async () => {
  const { connection, socket } = await new Server().connect();
  const sum = connection.invoke('Add', 1, 2);
  assert.deepEqual(await socket.next(), { type: 1, target: 'Add', arguments: [1, 2], invocationId: '0' });
  socket.say({ type: 3, invocationId: '0', result: 3 });
  assert.equal(await sum, 3);

  const failing = connection.invoke('Fail');
  const { invocationId } = await socket.next();
  socket.say({ type: 3, invocationId, error: 'HubException: no' });
  await assert.rejects(failing, { message: 'HubException: no' });
  await connection.stop();
});

test('a send has no id', async () => {
  const { connection, socket } = await new Server().connect();
  await connection.send('Tell', 'x');
  assert.deepEqual(await socket.next(), { type: 1, target: 'Tell', arguments: ['x'] });
  await connection.stop();
});

test('a stream gives its items and its end', async () => {
  const { connection, socket } = await new Server().connect();
  const heard = [];
  const observer = {
    next: (item) => heard.push(item),
    error: (error) => heard.push(error.message),
    complete: () => heard.push('end'),
  };
  connection.stream('Count', 2).subscribe(observer);
  const call = await socket.next();
  assert.deepEqual(call, { type: 4, target: 'Count', arguments: [2], invocationId: '0' });
  socket.say({ type: 2, invocationId: '0', item: 1 }, { type: 2, invocationId: '0', item: null }, { type: 3, invocationId: '0' });
  assert.deepEqual(heard, [1, null, 'end']);

  connection.stream('Fail').subscribe(observer);
  socket.say({ type: 3, invocationId: (await socket.next()).invocationId, error: 'broken' });
  assert.deepEqual(heard.slice(3), ['broken']);

  connection.stream('Lost').subscribe(observer);
  await socket.next();
  socket.end();
  assert.match(heard[4], /^Connection lost: 1006/);
});

test('who disposes of a stream cancels it, once', async () => {
  const { connection, socket } = await new Server().connect();
  const heard = [];
  const subscription = connection.stream('Count', 9).subscribe({ next: (item) => heard.push(item), error() {}, complete() {} });
  await socket.next();
  subscription.dispose();
  subscription.dispose();
  await connection.send('Last');
  assert.deepEqual(await socket.next(), { type: 5, invocationId: '0' });
  assert.equal((await socket.next()).target, 'Last');
  socket.say({ type: 2, invocationId: '0', item: 1 }, { type: 3, invocationId: '0' });
  assert.deepEqual(heard, []);
  await connection.stop();
});

test('a call that is canceled rejects at once, and the server is told', async () => {
  const { connection, socket } = await new Server().connect();
  const call = connection.invoke('Slow');
  await socket.next();
  call.cancel();
  await assert.rejects(call, { name: 'AbortError' });
  assert.deepEqual(await socket.next(), { type: 5, invocationId: '0' });
  socket.say({ type: 3, invocationId: '0', result: 'late' });
  await connection.stop();
});

test('streams go up item by item, two that stand beside each other too', async () => {
  const { connection, socket } = await new Server().connect();
  const left = new Subject();
  const right = new Subject();
  const result = connection.invoke('Zip', left, right, 5);
  assert.deepEqual(await socket.next(), { type: 1, target: 'Zip', arguments: [5], streamIds: ['1', '2'], invocationId: '0' });
  left.next('a');
  right.next(1);
  left.complete();
  right.error(new Error('out of numbers'));
  assert.deepEqual(await socket.next(), { type: 2, invocationId: '1', item: 'a' });
  assert.deepEqual(await socket.next(), { type: 2, invocationId: '2', item: 1 });
  assert.deepEqual(await socket.next(), { type: 3, invocationId: '1' });
  assert.deepEqual(await socket.next(), { type: 3, invocationId: '2', error: 'out of numbers' });
  socket.say({ type: 3, invocationId: '0', result: 'ok' });
  assert.equal(await result, 'ok');

  await connection.send('Feed', new Subject());
  assert.deepEqual(await socket.next(), { type: 1, target: 'Feed', arguments: [], streamIds: ['4'] });
  await connection.stop();
});

test('what is left of a stream does not go to another connection', async () => {
  const server = new Server();
  const { connection, socket } = await server.connect(server.builder().withAutomaticReconnect([0]));
  const subject = new Subject();
  await connection.send('Feed', subject);
  socket.end();
  const next = await server.sockets.next();
  await next.accept();
  await settle();
  subject.next('stale');
  await connection.send('Fresh');
  assert.equal((await next.next()).target, 'Fresh');
  await connection.stop();
});

test('handlers are found without regard to case, and on gives its own undo', async () => {
  const { connection, socket } = await new Server().connect();
  const heard = [];
  const undo = connection.on('Said', (text) => heard.push(text));
  socket.say({ type: 1, target: 'SAID', arguments: ['a'] });
  undo();
  socket.say({ type: 1, target: 'said', arguments: ['b'] });
  connection.on('said', (text) => heard.push(text));
  connection.off('SAID');
  socket.say({ type: 1, target: 'said', arguments: ['c'] });
  assert.deepEqual(heard, ['a']);
  await connection.stop();
});

test('the server is given one answer, or told why there is none', async () => {
  const { connection, socket } = await new Server().connect();
  const ask = (target) => {
    socket.say({ type: 1, target, arguments: [], invocationId: 's1' });
    return socket.next();
  };
  connection.on('value', () => 7);
  connection.on('value', () => {});
  connection.on('nothing', () => null);
  connection.on('later', async () => 'later');
  connection.on('throws', () => { throw new Error('no voice'); });
  connection.on('two', () => 1);
  connection.on('two', () => 2);
  connection.on('mute', () => {});
  assert.deepEqual(await ask('value'), { type: 3, invocationId: 's1', result: 7 });
  assert.deepEqual(await ask('nothing'), { type: 3, invocationId: 's1', result: null });
  assert.deepEqual(await ask('later'), { type: 3, invocationId: 's1', result: 'later' });
  assert.deepEqual(await ask('throws'), { type: 3, invocationId: 's1', error: 'Error: no voice' });
  assert.equal((await ask('two')).error, '2 results');
  assert.equal((await ask('mute')).error, "Client didn't provide a result.");
  assert.equal((await ask('missing')).error, "Client didn't provide a result.");
  await connection.stop();
});

test('a call that nobody handles is one warning for each name', async () => {
  const said = [];
  const server = new Server();
  const logger = { log: (level, message) => said.push([level, message]) };
  const builder = server.builder({ skipNegotiation: true, transport: 1 }).configureLogging(logger);
  const { connection, socket } = await server.connect(builder);
  const call = (target) => ({ type: 1, target, arguments: [] });
  socket.say(call('Mistyped'), call('mistyped'), call('constructor'));
  assert.deepEqual(said.filter(([level]) => level === hubwire.LogLevel.Warning), [
    [3, 'No client method mistyped'],
    [3, 'No client method constructor'],
  ]);
  await connection.stop();
});

test("a callback's mistake neither ends the connection nor vanishes", async () => {
  const said = [];
  const server = new Server();
  const builder = server.builder({ skipNegotiation: true, transport: 1 }).configureLogging({ log: (level, message) => said.push(message) });
  const { connection, socket } = await server.connect(builder);
  connection.on('said', () => { throw new Error('oops'); });
  connection.stream('Count').subscribe({ next() { throw new Error('again'); }, error() {}, complete() {} });
  socket.say({ type: 1, target: 'said', arguments: [] }, { type: 2, invocationId: '0', item: 1 });
  await settle();
  assert.equal(connection.state, 'Connected');
  assert.match(said.join(), /again[^]*oops/);
  await connection.stop();
});

test('messages that are none end the connection, unknown types do not', async () => {
  for (const bad of ['{"type":1}', '{"type":2,"invocationId":"1"}', '{"type":3,"invocationId":1}', '{}', 'null', 'x', '{"type":8}']) {
    const { connection, socket } = await new Server().connect();
    const closed = new Promise((resolve) => connection.onclose(resolve));
    socket.say({ type: 99 });
    assert.equal(connection.state, 'Connected');
    socket.onmessage({ data: `${bad}\x1e` });
    assert.ok((await closed) instanceof Error, bad);
    assert.ok(socket.isClosed);
  }
});

test('calls fail while there is no connection', async () => {
  const { connection } = await new Server().connect();
  await connection.stop();
  const message = 'Connection is Disconnected';
  await assert.rejects(connection.send('x'), { message });
  await assert.rejects(connection.invoke('x'), { message });
  const failed = new Promise((resolve) => connection.stream('x').subscribe({ next() {}, complete() {}, error: resolve }));
  assert.equal((await failed).message, message);
});

test('the server ends it: with an error, without, and to come back', async () => {
  const ended = async (message, builder) => {
    const server = new Server();
    const { connection, socket } = await server.connect(builder?.(server));
    const closed = new Promise((resolve) => connection.onclose(resolve));
    const call = connection.invoke('Never').catch((error) => error);
    socket.say(message);
    return { server, connection, closed, call, socket };
  };
  const plain = await ended({ type: 7 });
  assert.equal(await plain.closed, undefined);
  assert.match((await plain.call).message, /Connection closed/);
  assert.equal(plain.connection.state, 'Disconnected');
  assert.ok(plain.socket.isClosed);
  const packed = await ended({ type: 7, error: null });
  assert.equal(await packed.closed, undefined, 'as MessagePack has it');
  const failed = await ended({ type: 7, error: 'enough' });
  assert.equal((await failed.closed).message, 'enough');
  const back = await ended({ type: 7, allowReconnect: true }, (server) => server.builder().withAutomaticReconnect([0]));
  assert.equal(back.connection.state, 'Reconnecting');
  await back.connection.stop();
});
