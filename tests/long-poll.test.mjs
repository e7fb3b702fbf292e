// Long polling as it is on the wire: requests that wait, a POST for everything up, and a DELETE.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';

import { Poller } from './kit/poller.mjs';
import { END, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, until, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

const open = async (options) => (await Poller.open(server, options)).shake();
const result = (id, value) => `{"type":3,"invocationId":"${id}","result":${JSON.stringify(value)}}${END}`;

/** Waits until a connection that is over is known no more: its last words and its end are on another worker. */
const forgotten = (poller) =>
  until(SOON, 'a connection to be forgotten', async () => {
    const [status] = await poller.poll();
    assert.ok(status === 204 || status === 404, `a poll after the end was answered ${status}`);
    return status === 404;
  });

test('an answer carries all there is, and nobody keeps it', async () => {
  const poller = await open();
  await poller.post(invocation('Burst', [2], '1'));
  await poller.post(invocation('Echo', ['x'], '2'));
  const response = await fetch(poller.url);
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  assert.match(response.headers.get('cache-control'), /no-cache, no-store/);
  assert.equal(response.headers.get('content-encoding'), 'identity');
  assert.equal(response.headers.get('expires'), 'Thu, 01 Jan 1970 00:00:00 GMT');
  const number = (n) => `{"type":1,"target":"Number","arguments":[${n}]}${END}`;
  const expected = number(0) + number(1) + result(1, null) + result(2, 'x');
  const body = await response.text();
  assert.equal(Number(response.headers.get('content-length')), body.length);
  // The second call may still run when the poll looks.
  assert.equal(body.length < expected.length ? body + (await poller.poll())[1] : body, expected);
});

test('a poll waits for what comes', async () => {
  const poller = await open();
  const poll = poller.poll();
  await poller.post(invocation('Slow', [300, 'later'], '1'));
  assert.deepEqual(await poll, [200, result(1, 'later')]);
});

test('a first poll whose answer was lost can be made again', async () => {
  const poller = await Poller.open(server, { path: '/big', query: '&ack=0' });
  // A poll of /big waits for 50 s; these come from a client that does not know that it is connected.
  for (let i = 0; i < 2; i += 1) assert.deepEqual(await poller.poll(), [200, '']);
  assert.deepEqual(await poller.post(`{"protocol":"json","version":1}${END}`), [200, '']);
  assert.deepEqual(await poller.poll(), [200, `{}${END}`]);
});

test('the second poll waits for the answer to the handshake', async () => {
  const poller = await Poller.open(server);
  const poll = poller.poll();
  // To the official client with a binary protocol an empty answer would be that answer, and no good one.
  await server.fetch('/count/hub');
  assert.deepEqual(await poller.post(`{"protocol":"messagepack","version":1}${END}`), [200, '']);
  assert.deepEqual(await poll, [200, `{}${END}`]);
});

test('who says something before polling is heard', async () => {
  const { connectionToken } = JSON.parse(await server.fetch('/hub/negotiate?negotiateVersion=1', { method: 'POST' }));
  const poller = new Poller();
  poller.url = `${server.url}/hub?id=${connectionToken}`;
  assert.deepEqual(await poller.delete(), [404, 'No Connection with that ID']);
  assert.deepEqual(await poller.post(`{"protocol":"json","version":1}${END}`), [200, '']);
  assert.deepEqual(await poller.poll(), [200, `{}${END}`]);
  assert.deepEqual(await poller.post(invocation('Echo', ['x'], '1')), [200, '']);
  assert.deepEqual(await poller.poll(), [200, result(1, 'x')]);
});

test('a poll that nothing comes for is answered empty, and the connection lives on', async () => {
  const poller = await open({ path: '/fast' });
  for (let i = 0; i < 4; i += 1) assert.deepEqual(await poller.poll(), [200, '']);
  const poll = poller.poll();
  await poller.post(invocation('Echo', ['still here'], '1'));
  assert.deepEqual(await poll, [200, result(1, 'still here')]);
});

test('the newest poll wins', async () => {
  const poller = await open();
  const polls = [];
  for (let i = 0; i < 100; i += 1) polls.push(poller.poll());
  await poller.post(invocation('Echo', ['once'], '1'));
  const answers = await Promise.all(polls);
  assert.deepEqual(answers.filter(([, body]) => body !== ''), [[200, result(1, 'once')]]);
  // Where the POST overtook a poll, the last one waited until its time was over.
  const empty = answers.filter(([status, body]) => status === 200 && body === '').length;
  assert.ok(empty <= 1, `${empty} polls were answered empty`);
  assert.equal(answers.filter(([status]) => status === 204).length, 99 - empty);
});

test('what an answer lost comes with the next', async (t) => {
  const poller = await open({ path: '/big' });
  // More than the kernel takes off the server's hands: what it has taken counts as delivered.
  await poller.post(invocation('BroadcastBig', [16 << 20, 1]));
  for (let i = 0; i < 3; i += 1) {
    const socket = connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`GET ${poller.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const [bytes] = await within(SOON, once(socket, 'data'), 'the beginning of an answer');
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 200 /);
    socket.destroy();
  }
  const [status, body] = await poller.poll();
  assert.deepEqual([status, body.length], [200, (16 << 20) + '{"type":1,"target":"Big","arguments":[""]}'.length + 1]);
});

test('a poll that is left waiting loses nothing', async () => {
  const poller = await open();
  const abort = new AbortController();
  const first = poller.poll();
  const left = fetch(poller.url, { signal: abort.signal });
  left.catch(() => {});
  // One of two polls at a time is superseded, which shows that the other has arrived.
  await Promise.race([first, left]);
  abort.abort();
  const polls = [poller.poll(), poller.poll()];
  assert.equal((await Promise.race(polls))[0], 204);
  await poller.post(invocation('Echo', ['kept'], '1'));
  const answers = await Promise.all(polls);
  assert.deepEqual(answers.filter(([status]) => status === 200), [[200, result(1, 'kept')]]);
});

test('a DELETE ends the connection', async () => {
  const poller = await open();
  // One of two polls at a time is superseded, which shows that the other is parked.
  const polls = [poller.poll(), poller.poll()];
  assert.equal((await Promise.race(polls))[0], 204);
  assert.deepEqual(await poller.delete(), [202, '']);
  assert.deepEqual((await Promise.all(polls)).map(([status]) => status), [204, 204]);
  assert.equal(await server.farewell(poller.id), 'client closed');
  await forgotten(poller);
  for (const answer of [await poller.poll(), await poller.post('x'), await poller.delete()]) {
    assert.deepEqual(answer, [404, 'No Connection with that ID']);
  }
});

test('what the server said last is told before the end', async () => {
  const poller = await open();
  await poller.post(invocation('AbortMe', [], '1'));
  let said = '';
  let status = 200;
  while (status === 200) {
    let text;
    [status, text] = await poller.poll();
    said += text;
  }
  assert.ok(said.endsWith(`{"type":7}${END}`), said);
  assert.equal(status, 204);
  await forgotten(poller);
  assert.equal(await server.farewell(poller.id), 'kicked');
});

test('a client that polls no more is lost', async () => {
  const poller = await open();
  assert.equal(await server.farewell(poller.id), 'network lost');
  await forgotten(poller);
});

test('a connection that was never polled again is forgotten', async () => {
  const poller = await Poller.open(server);
  await server.logged(new RegExp(`connection closed.*id=${poller.id}.*reason=network lost`));
});

test('a connection has one transport', async (t) => {
  const poller = await open();
  const stream = await fetch(poller.url, { headers: { accept: 'text/event-stream' } });
  assert.deepEqual([stream.status, await stream.text()], [400, 'Cannot change transports mid-connection']);
  await assert.rejects(RawClient.connect(t, poller.url), /400/);
  const socket = JSON.parse(await server.fetch('/hub/negotiate?negotiateVersion=1', { method: 'POST' }));
  const url = `${server.url}/hub?id=${socket.connectionToken}`;
  await RawClient.connect(t, url);
  assert.equal((await fetch(url)).status, 400);
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 400);
});

test('nobody polls for another user', async () => {
  const poller = await open({ query: '&user=ann' });
  const url = poller.url.replace('user=ann', 'user=bob');
  assert.equal((await fetch(url)).status, 403);
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 403);
  await poller.post(invocation('WhoAmI', [], '1'));
  assert.deepEqual(await poller.poll(), [200, result(1, 'ann')]);
});
