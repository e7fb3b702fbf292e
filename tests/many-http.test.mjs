// Two thousand event streams and two thousand parked polls at once: one broadcast reaches each exactly once.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, test } from 'node:test';

import { END, HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { until, within } from './kit/within.mjs';

const EACH = 2_000;
/** How many clients come at a time; the machine has to do the rest of this test too. */
const AT_ONCE = 100;
const LONG = 60_000;

const server = await TestServer.start();
after(() => server.stop());

/** Short requests share these sockets. */
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
after(() => agent.destroy());

/** The answer to a request once its headers are there. */
function ask(path, { method = 'GET', headers, body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    request(server.url + path, { method, headers, agent, ...options }, resolve).on('error', reject).end(body);
  });
}

async function read(response) {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

async function negotiated() {
  const answer = JSON.parse(await read(await ask('/big/negotiate?negotiateVersion=1', { method: 'POST' })));
  return `/big?id=${answer.connectionToken}`;
}

const shake = async (path) => read(await ask(path, { method: 'POST', body: HANDSHAKE }));

/** An event stream that keeps what it hears. */
async function stream() {
  const path = await negotiated();
  const response = await ask(path, { headers: { accept: 'text/event-stream' }, agent: false });
  const heard = { text: '', leave: () => response.destroy() };
  response.setEncoding('utf8').on('data', (text) => (heard.text += text)).on('error', () => {});
  await shake(path);
  await until(LONG, 'a handshake', () => heard.text.includes('{}'));
  return heard;
}

/** A client whose poll is parked; what it hears is what its answers carry. */
async function poller() {
  const path = await negotiated();
  await read(await ask(path));
  await shake(path);
  const heard = { text: '', leave: () => {} };
  heard.text += await read(await ask(path));
  heard.poll = async () => {
    const response = ask(path, { agent: false });
    heard.answered = response.then(read).then((text) => (heard.text += text));
    heard.leave = () => ask(path, { method: 'DELETE' }).then(read);
    await response.catch(() => {});
  };
  heard.poll().catch(() => {});
  return heard;
}

async function many(open) {
  const clients = [];
  while (clients.length < EACH) clients.push(...(await Promise.all(Array.from({ length: AT_ONCE }, open))));
  return clients;
}

test(`${EACH} streams and ${EACH} polls`, { timeout: 300_000 }, async (t) => {
  const fds = server.fds();
  const streams = await many(stream);
  const polls = await many(poller);
  await server.counted(2 * EACH, 'big', LONG);
  t.diagnostic(`${(server.rss()).toFixed(0)} MiB resident with ${2 * EACH} connections`);

  const speaker = await RawClient.connect(t, `${server.url}/big`);
  speaker.send(invocation('SendAll', ['everyone'], '1'));
  const event = `{"type":1,"target":"Notify","arguments":["everyone"]}${END}`;
  const once = ({ text }) => text.split(event).length === 2;
  await within(LONG, Promise.all(polls.map(({ answered }) => answered)), 'the answers to all polls');
  await until(LONG, 'the broadcast on all streams', () => streams.every(once));
  assert.ok(polls.every(once), 'a poll heard the broadcast not once');

  // A second message shows that nothing of the first comes again.
  polls.forEach(({ poll }) => poll());
  speaker.send(invocation('SendAll', ['end'], '2'));
  await within(LONG, Promise.all(polls.map(({ answered }) => answered)), 'the answers to all second polls');
  await until(LONG, 'the end on all streams', () => streams.every(({ text }) => text.includes('"end"')));
  for (const client of [...streams, ...polls]) assert.ok(once(client) && client.text.split('"end"').length === 2);

  for (const client of [...streams, ...polls]) client.leave();
  await server.counted(1, 'big', LONG);
  await until(LONG, 'the sockets to be given back', () => server.fds() <= fds + AT_ONCE + 10);
});
