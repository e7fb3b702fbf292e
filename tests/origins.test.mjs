// Which web pages may talk to a hub: what a browser says of them, and what it is told.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as send } from 'node:http';
import { after, test } from 'node:test';

import WebSocket from 'ws';

import { launch, skip } from './kit/browser.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

const OWN = `http://127.0.0.1:${server.port}`;
const FRIEND = 'https://app.example';
const STRANGER = 'https://evil.example';

/** A request as a browser sends it; `fetch` would not let a header like Origin through everywhere. */
async function ask(method, path, headers = {}) {
  const request = send({ host: '127.0.0.1', port: server.port, method, path, headers });
  request.end();
  const [response] = await within(SOON, once(request, 'response'), 'an answer');
  response.resume();
  return response;
}

/** The status of an upgrade to WebSocket. */
async function upgrade(path, headers) {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path, { headers });
  socket.on('error', () => {});
  const open = once(socket, 'open').then(() => 101);
  open.catch(() => {});
  const refused = once(socket, 'unexpected-response').then(([, response]) => response.statusCode);
  refused.catch(() => {});
  const status = await within(SOON, Promise.race([open, refused]), 'the answer to an upgrade');
  socket.terminate();
  return status;
}

/** Path, headers, and whether the page may. */
const CASES = [
  ['/hub', {}, true],
  ['/hub', { origin: OWN }, true],
  ['/hub', { origin: OWN.toUpperCase().replace('HTTP', 'http') }, true],
  ['/hub', { origin: 'http://127.0.0.1' }, false],
  ['/hub', { origin: STRANGER }, false],
  ['/hub', { origin: 'null' }, false],
  ['/hub', { origin: FRIEND, 'x-forwarded-host': 'app.example' }, true],
  ['/detailed', { origin: FRIEND }, true],
  ['/detailed', { origin: OWN }, true],
  ['/detailed', { origin: STRANGER }, false],
];

for (const [path, headers, may] of CASES) {
  test(`${JSON.stringify(headers)} ${may ? 'may' : 'may not'} talk to ${path}`, async () => {
    assert.equal((await ask('POST', `${path}/negotiate?negotiateVersion=1`, headers)).statusCode, may ? 200 : 403);
    assert.equal(await upgrade(path, headers), may ? 101 : 403);
    assert.equal((await ask('GET', `${path}?id=nobody`, headers)).statusCode, may ? 404 : 403);
  });
}

test('a refusal is one warning that names the page, the host and the option', async () => {
  await ask('GET', '/hub', { origin: 'https://curious.example' });
  const line = await server.logged(/WARN.*curious\.example/);
  assert.match(line, new RegExp(`host="127\\.0\\.0\\.1:${server.port}"`));
  assert.match(line, /EndpointOptions::allowed_origins/);
});

test('a page from elsewhere that may read is told so, its preflight and its errors too', async () => {
  const cors = (response) => [
    response.headers['access-control-allow-origin'],
    response.headers['access-control-allow-credentials'],
    response.headers.vary,
  ];
  const granted = [FRIEND, 'true', 'Origin'];
  const preflight = await ask('OPTIONS', '/detailed/negotiate', {
    origin: FRIEND,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'origin,x-requested-with,x-signalr-user-agent',
  });
  assert.equal(preflight.statusCode, 204);
  assert.deepEqual(cors(preflight), granted);
  assert.equal(preflight.headers['access-control-allow-headers'], 'origin,x-requested-with,x-signalr-user-agent');
  assert.match(preflight.headers['access-control-allow-methods'], /POST/);
  assert.deepEqual(cors(await ask('POST', '/detailed/negotiate', { origin: FRIEND })), granted);
  assert.deepEqual(cors(await ask('GET', '/detailed?id=nobody', { origin: FRIEND })), granted);
  assert.deepEqual(cors(await ask('POST', '/detailed/negotiate', { origin: OWN })), [undefined, undefined, undefined]);
});

test('a page from elsewhere is kept out in a browser', { skip }, async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  // The same server under another name is another origin.
  await page.goto(`http://localhost:${server.port}/count/hub`);
  const outcome = await page.evaluate(async (url) => {
    const negotiated = await fetch(`${url}/hub/negotiate?negotiateVersion=1`, { method: 'POST', credentials: 'include' }).then(() => 'read', () => 'kept out');
    const socket = await new Promise((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/hub`);
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('kept out');
    });
    return [negotiated, socket];
  }, OWN);
  assert.deepEqual(outcome, ['kept out', 'kept out']);
});
