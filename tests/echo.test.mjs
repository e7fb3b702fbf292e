// The echo example: raw connections on the wire, where a message is what its sender meant it to be.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { FrameSocket, OPCODE, frame } from './kit/frames.mjs';
import { TRANSPORTS, connect, negotiate, poll, post, webSocket } from './kit/plain.mjs';
import { ServerProcess } from './kit/process.mjs';
import { SOON, until, within } from './kit/within.mjs';

const LIMIT = 16 << 20;
const LARGE = 10 << 20;
const POLLED = ['LongPolling', 'ShortPolling'];
const FOR_BYTES = TRANSPORTS.filter((transport) => transport !== 'ServerSentEvents');

const server = await ServerProcess.start('echo', { MAX_MESSAGE_SIZE: String(LIMIT) });
after(() => server.stop());

/** The line of log that a connection ends with. */
const farewell = (id) => server.logged(new RegExp(`connection closed .*id=${id} `));

for (const transport of TRANSPORTS) {
  test(`${transport}: text comes back as text, whatever is in it`, async (t) => {
    const echo = await connect(t, server, transport);
    for (const text of ['hello', '{}\x1e', ' a\n\nb', 'data: x', '\u0000é 👋', 'a'.repeat(70_000)]) {
      await echo.send(text);
      assert.equal(await echo.messages.next(), text);
    }
  });

  test(`${transport}: messages sent in a row arrive one by one, in order`, async (t) => {
    const echo = await connect(t, server, transport);
    const texts = Array.from({ length: 100 }, (_, n) => `message ${n}`);
    for (const text of texts) await echo.send(text);
    assert.deepEqual(await echo.messages.take(texts.length), texts);
  });

  test(`${transport}: a message of 10 MiB comes back whole`, { timeout: 60_000 }, async (t) => {
    const echo = await connect(t, server, transport);
    const text = 'tenletters'.repeat(LARGE / 10);
    await echo.send(text);
    const back = await echo.messages.next(30_000);
    assert.ok(back === text, `${back.length} of ${text.length} characters`);
    await echo.send('small');
    assert.equal(await echo.messages.next(), 'small');
  });
}

for (const transport of FOR_BYTES) {
  test(`${transport}: bytes come back as bytes, also where they are text`, { timeout: 60_000 }, async (t) => {
    const echo = await connect(t, server, transport);
    const large = Buffer.alloc(LARGE, Uint8Array.from({ length: 251 }, (_, n) => n));
    for (const bytes of [Buffer.from([0, 0xff, 0x80]), Buffer.from('text'), large]) {
      await echo.send(bytes);
      const back = await echo.messages.next(30_000);
      assert.ok(Buffer.isBuffer(back) && back.equals(bytes), `${typeof back} of ${back.length} bytes`);
    }
  });
}

for (const transport of ['WebSockets', 'ServerSentEvents']) {
  test(`${transport}: an empty message comes back empty`, async (t) => {
    const echo = await connect(t, server, transport);
    for (const text of ['', 'between', '']) await echo.send(text);
    assert.deepEqual(await echo.messages.take(3), ['', 'between', '']);
  });
}

for (const transport of POLLED) {
  test(`${transport}: an answer holds one message, and says what it is`, async () => {
    const { url } = await negotiate(server, transport);
    assert.equal(await poll(url), '');
    const messages = ['one', Buffer.from('two'), 'three'];
    for (const message of messages) assert.equal(await post(url, message), 200);
    for (const message of messages) {
      assert.deepEqual(await until(SOON, 'an answer with something in it', () => poll(url)), message);
    }
  });

  test(`${transport}: an empty message is not carried, and holds up nothing`, async (t) => {
    const echo = await connect(t, server, transport);
    for (const text of ['', '', 'text', '']) assert.equal(await echo.send(text), 200);
    assert.equal(await echo.send(Buffer.alloc(0)), 200);
    await echo.send('end');
    assert.deepEqual(await echo.messages.take(2), ['text', 'end']);
  });

  test(`${transport}: a DELETE ends it`, async (t) => {
    const echo = await connect(t, server, transport);
    assert.equal((await echo.close()).status, 202);
    assert.match(await farewell(echo.id), /reason=client closed/);
    await within(SOON, echo.ended, 'the end of the polls');
    assert.equal(await post(echo.url, 'late'), 404);
  });

  test(`${transport}: a DELETE ends it also while the echo waits for room`, async () => {
    const { id, url } = await negotiate(server, transport);
    await poll(url);
    for (let n = 0; n < 3; n += 1) assert.equal(await post(url, 'x'.repeat(100_000)), 200);
    await fetch(url, { method: 'DELETE' });
    assert.match(await farewell(id), /reason=client closed/);
  });

  test(`${transport}: what is marked as text and is none is bytes`, async (t) => {
    const echo = await connect(t, server, transport);
    await post(echo.url, Buffer.from([0x61, 0xff]), 'text/plain');
    assert.deepEqual(await echo.messages.next(), Buffer.from([0x61, 0xff]));
  });
}

test('one message over the limit ends its connection, and nobody else notices', { timeout: 60_000 }, async (t) => {
  const neighbours = await Promise.all(TRANSPORTS.map((transport) => connect(t, server, transport)));
  const large = Buffer.alloc(LIMIT + 1);
  const socket = await connect(t, server, 'WebSockets');
  await socket.send(large);
  assert.equal(await within(SOON, socket.ended, 'the end of the socket'), 1009);
  assert.match(await farewell(socket.id), /reason=message too big: 16777217 bytes, the limit is 16777216/);
  for (const [transport, how] of [['ServerSentEvents', 'ended'], ['LongPolling', 'told'], ['ShortPolling', 'told']]) {
    const echo = await connect(t, server, transport);
    assert.equal(await echo.send(large), 413);
    assert.equal(await within(SOON, echo.ended, `the end of ${transport}`), how);
    assert.match(await farewell(echo.id), /reason=message too big/);
  }
  for (const neighbour of neighbours) {
    await neighbour.send('still here');
    assert.equal(await neighbour.messages.next(), 'still here');
  }
});

test('the longest message that is allowed passes', { timeout: 60_000 }, async (t) => {
  for (const transport of TRANSPORTS) {
    const echo = await connect(t, server, transport);
    await echo.send('x'.repeat(LIMIT));
    assert.equal((await echo.messages.next(30_000)).length, LIMIT, transport);
  }
});

test('the fragments of a WebSocket message are one message', async (t) => {
  const socket = await FrameSocket.open(t, server, '/echo');
  const { continuation, text, binary, ping, pong } = OPCODE;
  // A message that is torn inside a character, with a ping between its fragments.
  const [head, tail] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  socket.write(frame(head, { opcode: text, final: false }));
  socket.write(frame('p', { opcode: ping }));
  socket.write(frame(tail, { opcode: continuation, final: false }));
  socket.write(frame('', { opcode: continuation }));
  socket.write(frame('', { opcode: binary, final: false }));
  socket.write(frame('b', { opcode: continuation }));
  await socket.received(pong, /^p$/);
  await socket.received(binary, /^b$/);
  assert.deepEqual(
    socket.frames.filter((frame) => frame.opcode !== pong),
    [{ opcode: text, payload: 'é' }, { opcode: binary, payload: 'b' }],
  );
});

test('a WebSocket message that says it is text and is none ends the connection', async (t) => {
  for (const pieces of [[[0x61, 0xff]], [[0xc3], [0x28]], [[0xc3]]]) {
    const socket = await FrameSocket.open(t, server, '/echo');
    pieces.forEach((piece, n) => {
      const opcode = n === 0 ? OPCODE.text : OPCODE.continuation;
      socket.write(frame(Buffer.from(piece), { opcode, final: n === pieces.length - 1 }));
    });
    await socket.received(OPCODE.close, /^\x03\ufffd/);
    assert.deepEqual(socket.frames.map(({ opcode }) => opcode), [OPCODE.close]);
    await socket.close();
  }
});

test('every line end in an event is one, and none begins another event', async (t) => {
  const echo = await connect(t, server, 'ServerSentEvents');
  for (const text of ['a\rb', 'a\r\nb', 'a\nb', 'a\r\rdata: b', 'a\n\r\n', '\r']) {
    await echo.send(text);
    assert.equal(await echo.messages.next(), text.replace(/\r\n|\r/g, '\n'));
  }
});

test('bytes that are no text are dropped by an event stream, with one warning', async (t) => {
  const echo = await connect(t, server, 'ServerSentEvents');
  for (let n = 0; n < 3; n += 1) assert.equal(await echo.send(Buffer.from([0xff])), 200);
  await echo.send('text');
  assert.equal(await echo.messages.next(), 'text');
  echo.close();
  await farewell(echo.id);
  const warnings = server.lines.filter((line) => line.includes('WARN') && line.includes(echo.id));
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(warnings[0], /a message was dropped, and others like it will be: an event stream carries text only/);
});

test('a connection has one carrier that lasts', async (t) => {
  const socket = await connect(t, server, 'WebSockets');
  await assert.rejects(webSocket(t, socket.url), /409/);
  const stream = await connect(t, server, 'ServerSentEvents');
  const again = await fetch(stream.url, { headers: { accept: 'text/event-stream' } });
  assert.equal(again.status, 409);
  const remove = await fetch(stream.url, { method: 'DELETE' });
  assert.deepEqual([remove.status, await remove.text()], [400, 'Cannot terminate this connection using the DELETE endpoint.']);
  for (const echo of [socket, stream]) {
    await echo.send('still here');
    assert.equal(await echo.messages.next(), 'still here');
  }
});

test('a WebSocket needs no negotiation', async (t) => {
  const echo = await webSocket(t, `${server.url}/echo`);
  await echo.send('hello');
  assert.equal(await echo.messages.next(), 'hello');
  echo.socket.close(4321);
  assert.equal(await within(SOON, echo.ended, 'the close'), 4321);
});

test('a client that sends more than it takes waits, and loses nothing', { timeout: 60_000 }, async (t) => {
  const echo = await connect(t, server, 'WebSockets');
  const count = 40;
  // Far more than sockets and limits hold: 40 MiB are under way before anything is read.
  echo.socket.pause();
  for (let n = 0; n < count; n += 1) await echo.send(Buffer.alloc(1 << 20, n));
  echo.socket.resume();
  for (let n = 0; n < count; n += 1) {
    const back = await echo.messages.next(30_000);
    assert.ok(back.length === 1 << 20 && back[0] === n, `message ${n}`);
  }
});

test('a server that goes down says so to everybody', async (t) => {
  const own = await ServerProcess.start('echo');
  t.after(() => own.stop());
  const echoes = [];
  for (const transport of TRANSPORTS) echoes.push(await connect(t, own, transport));
  own.terminate();
  const ends = await within(SOON, Promise.all(echoes.map((echo) => echo.ended)), 'the ends');
  assert.deepEqual(ends, [1001, 'ended', 'told', 'told']);
  assert.deepEqual(await own.ended(), { code: 0, signal: null });
});

test('a limit that makes no sense is told', async () => {
  for (const [bytes, why] of [['0', /it must be at least 1 byte/], ['1MiB', /MAX_MESSAGE_SIZE=1MiB: invalid digit/]]) {
    await assert.rejects(ServerProcess.start('echo', { MAX_MESSAGE_SIZE: bytes }), why);
  }
});
