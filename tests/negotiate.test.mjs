// The HTTP before a connection: negotiate, and the statuses of requests that open nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';

import * as signalr from '@microsoft/signalr';
import WebSocket from 'ws';

import { launch, skip } from './kit/browser.mjs';
import { RawClient } from './kit/raw.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

async function negotiate(query, path = '/hub') {
  const response = await fetch(`${server.url}${path}/negotiate${query}`, { method: 'POST' });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  return response.json();
}

test('version 1 gives a public id and a secret token', async (t) => {
  const answer = await negotiate('?negotiateVersion=1');
  assert.equal(answer.negotiateVersion, 1);
  assert.match(answer.connectionId, /^[A-Za-z0-9_-]{22}$/);
  assert.match(answer.connectionToken, /^[A-Za-z0-9_.~-]+$/);
  assert.notEqual(answer.connectionToken, answer.connectionId);
  assert.deepEqual(answer.availableTransports[0], { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] });

  const client = await RawClient.connect(t, `${server.url}/hub?id=${answer.connectionToken}`);
  assert.equal(await client.connectionId(), answer.connectionId);
});

test('without a version the id is the way in', async (t) => {
  const answer = await negotiate('');
  assert.equal(answer.negotiateVersion, 0);
  assert.equal(answer.connectionToken, undefined);
  const client = await RawClient.connect(t, `${server.url}/hub?id=${answer.connectionId}`);
  assert.equal(await client.connectionId(), answer.connectionId);
});

/** All transports, as negotiation offers them. */
const OFFERED = [
  { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] },
  { transport: 'ServerSentEvents', transferFormats: ['Text'] },
  { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
  { transport: 'ShortPolling', transferFormats: ['Text', 'Binary'] },
];

test('what is enabled is offered, best first', async () => {
  assert.deepEqual((await negotiate('?negotiateVersion=1&useAcks=true')).availableTransports, OFFERED);
  // Some clients refuse an answer with a name that they do not know.
  assert.deepEqual((await negotiate('?negotiateVersion=1')).availableTransports, OFFERED.slice(0, 3));
  assert.deepEqual((await negotiate('?negotiateVersion=1', '/stream-only')).availableTransports, [OFFERED[1]]);
});

test('what is not enabled is not to be had', async () => {
  const ask = async (path, query, headers) => {
    const { connectionToken } = await negotiate('?negotiateVersion=1', path);
    const response = await fetch(`${server.url}${path}?id=${connectionToken}${query}`, { headers });
    return [response.status, await response.text()];
  };
  const missing = (transport) => [404, `${transport} transport not supported by this end point type`];
  assert.deepEqual(await ask('/stream-only', ''), missing('LongPolling'));
  assert.deepEqual(await ask('/stream-only', '&transport=shortPolling'), missing('ShortPolling'));
  assert.deepEqual(await ask('/poll-only', '', { accept: 'text/event-stream' }), missing('ServerSentEvents'));
  assert.equal(await refused('/poll-only'), 404);
});

test('a version from the future is answered with the newest that there is', async () => {
  assert.equal((await negotiate('?negotiateVersion=7')).negotiateVersion, 1);
});

test('a version that is no number is an error', async () => {
  assert.deepEqual(await negotiate('?negotiateVersion=new'), {
    error: 'The client requested a non-integer protocol version.',
  });
});

test('names in the query match without regard to case', async () => {
  assert.equal((await negotiate('?NegotiateVersion=1')).negotiateVersion, 1);
});

test('every negotiation is a connection of its own', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => negotiate('?negotiateVersion=1')));
  for (const field of ['connectionId', 'connectionToken']) {
    assert.equal(new Set(answers.map((answer) => answer[field])).size, 50);
  }
});

test('an application sends clients elsewhere', async () => {
  const url = `${server.url}/hub`;
  const at = encodeURIComponent(url);
  assert.deepEqual(await negotiate(`?negotiateVersion=1&redirect=${at}&token=t`, '/elsewhere'), {
    negotiateVersion: 1,
    url,
    accessToken: 't',
    availableTransports: [],
  });
  const connection = new signalr.HubConnectionBuilder()
    .withUrl(`${server.url}/elsewhere?redirect=${at}%3Fuser%3Dann`)
    .configureLogging(signalr.LogLevel.None)
    .build();
  await within(SOON, connection.start(), 'the start of a redirected connection');
  assert.equal(await connection.invoke('WhoAmI'), 'ann');
  await connection.stop();
});

test('an application refuses clients in its own words, or with an error', async () => {
  assert.deepEqual(await negotiate('?negotiateVersion=1&refuse=no%20seats%20left', '/elsewhere'), { error: 'no seats left' });
  const response = await fetch(`${server.url}/elsewhere/negotiate?refuse=teapot`, { method: 'POST' });
  assert.deepEqual([response.status, await response.text()], [418, 'a teapot']);
});

test('a WebSocket whose Upgrade header got lost is no poll', async () => {
  const { connectionToken } = await negotiate('?negotiateVersion=1');
  const headers = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
  for (const query of ['', `?id=${connectionToken}`]) {
    const response = await fetch(`${server.url}/hub${query}`, { headers });
    assert.equal(response.status, 426);
    assert.match(await response.text(), /removed the Upgrade header/);
  }
  await server.logged(/WARN.*proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection \\?"upgrade/);
  assert.equal(server.lines.filter((line) => line.includes('proxy_set_header')).length, 1);
});

test('a client of the SignalR before learns why it cannot work', { skip }, async (t) => {
  const read = (name) => readFile(createRequire(import.meta.url).resolve(name), 'utf8');
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${server.url}/count/hub`);
  await page.addScriptTag({ content: await read('jquery/dist/jquery.js') });
  await page.addScriptTag({ content: await read('signalr/jquery.signalR.js') });
  const error = await page.evaluate(async () => {
    const connection = window.jQuery.hubConnection('/hub', { useDefaultPath: false });
    return new Promise((resolve) => connection.start().done(() => resolve('started')).fail((error) => resolve(error.message)));
  });
  assert.match(error, /Detected a connection attempt to an ASP\.NET Core SignalR Server/);
  await server.logged(/WARN.*@microsoft\/signalr instead of the package signalr/);
});

/** Requests that open nothing: method, path, status and body. */
const REQUESTS = [
  ['GET', '/hub/negotiate', 405, ''],
  ['PUT', '/hub', 405, ''],
  ['GET', '/hub', 400, 'Connection ID required'],
  ['POST', '/hub', 400, 'Connection ID required'],
  ['DELETE', '/hub', 400, 'Connection ID required'],
  ['POST', '/hub?id=nobody', 404, 'No Connection with that ID'],
  ['DELETE', '/hub?id=nobody', 404, 'No Connection with that ID'],
];

for (const [method, path, status, body] of REQUESTS) {
  test(`${method} ${path} is answered ${status}`, async () => {
    const response = await fetch(server.url + path, { method });
    assert.deepEqual([response.status, await response.text()], [status, body]);
  });
}

test('a WebSocket with an id that nobody was given is refused', async () => {
  const { connectionToken } = await negotiate('?negotiateVersion=1');
  const last = connectionToken.at(-1) === 'A' ? 'B' : 'A';
  for (const id of ['nobody', connectionToken.slice(0, -1) + last, `${connectionToken}A`]) {
    assert.equal(await refused(`/hub?id=${id}`), 404, id);
  }
});

test('a token opens the hub that it was given for and no other', async () => {
  const { connectionToken } = await negotiate('?negotiateVersion=1');
  assert.equal(await refused(`/detailed?id=${connectionToken}`), 404);
});

test('a token opens one WebSocket', async (t) => {
  const { connectionToken } = await negotiate('?negotiateVersion=1');
  const client = await RawClient.connect(t, `${server.url}/hub?id=${connectionToken}`);
  assert.equal(await refused(`/hub?id=${connectionToken}`), 409);
  assert.match(await client.connectionId(), /./);
});

test('a live WebSocket takes no POST', async (t) => {
  const { connectionToken } = await negotiate('?negotiateVersion=1');
  await RawClient.connect(t, `${server.url}/hub?id=${connectionToken}`);
  const response = await fetch(`${server.url}/hub?id=${connectionToken}`, { method: 'POST', body: 'x' });
  assert.equal(response.status, 405);
  assert.equal(await response.text(), 'POST requests are not allowed for WebSocket connections.');
});

/** The status with which an upgrade to WebSocket is refused. */
async function refused(path) {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path);
  socket.on('error', () => {});
  const [request, response] = await within(SOON, once(socket, 'unexpected-response'), 'the refusal of a WebSocket');
  request.destroy();
  return response.statusCode;
}
