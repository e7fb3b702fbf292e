// Behind a real nginx: what works where it was told nothing, and that the location in docs/proxies.md does what the page says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';

import WebSocket from 'ws';

import { launch, skip as skipBrowser } from './kit/browser.mjs';
import { matrix, unforced } from './kit/clients.mjs';
import { Nginx, skip } from './kit/nginx.mjs';
import { TestServer } from './kit/server.mjs';
import { Stage } from './kit/stage.mjs';
import { SOON, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

/** The first block of nginx's language on the page, with the address of the test server put in. */
function documented() {
  const page = readFileSync(new URL('../docs/proxies.md', import.meta.url), 'utf8');
  const [, snippet] = page.match(/```nginx\n(.*?)```/s);
  assert.match(snippet, /proxy_pass http:\/\/127\.0\.0\.1:8080;/);
  return snippet.replace('127.0.0.1:8080', `127.0.0.1:${server.port}`);
}

/** All that many people write. */
const untouched = () => `location / { proxy_pass http://127.0.0.1:${server.port}; }`;

async function connect(t, nginx, path = '/hub', combination = unforced) {
  const client = new Stage(t, combination, server).build(path, { at: nginx.url });
  await client.start();
  return client;
}

/** Both directions, and a message that nobody asked for. */
async function converse(client) {
  assert.equal(await client.invoke('Add', 1, 2), 3);
  await server.broadcast('hello');
  assert.equal(await client.heard('Notify').next(), 'hello');
}

test('with nothing but proxy_pass a client falls back by itself, and nothing is held back', { skip }, async (t) => {
  const nginx = await Nginx.start(t, untouched());
  const client = await connect(t, nginx);
  await converse(client);
  const numbers = client.heard('Number');
  await client.invoke('Burst', 1_000);
  assert.deepEqual(await numbers.take(1_000), Array.from({ length: 1_000 }, (_, i) => i));
  await client.stop();
  assert.equal((await server.ending(client.id)).transport, 'ServerSentEvents');
  // The log says what the location lacks, in the lines of the page.
  const warning = await server.logged(/WARN.*proxy_set_header Upgrade/);
  for (const line of ['proxy_http_version 1.1;', 'proxy_set_header Upgrade $http_upgrade;']) {
    assert.ok(warning.includes(line) && documented().includes(line), line);
  }
});

test('with nothing but proxy_pass long polling works', { skip }, async (t) => {
  const nginx = await Nginx.start(t, untouched());
  const polls = matrix.find(({ name }) => name.includes('LongPolling'));
  const client = await connect(t, nginx, '/hub', polls);
  await converse(client);
  await client.stop();
  assert.deepEqual(await server.ending(client.id), { transport: 'LongPolling', reason: 'client closed' });
});

test('with the documented location it is a WebSocket', { skip }, async (t) => {
  const nginx = await Nginx.start(t, documented());
  const client = await connect(t, nginx);
  await converse(client);
  await client.stop();
  assert.deepEqual(await server.ending(client.id), { transport: 'WebSockets', reason: 'client closed' });
});

for (const combination of matrix) {
  test(`with the documented location everything else works too (${combination.name})`, { skip }, async (t) => {
    const nginx = await Nginx.start(t, documented());
    const client = await connect(t, nginx, '/big', combination);
    assert.equal((await client.invoke('Echo', 'x'.repeat(500_000))).length, 500_000);
    assert.match(await client.refusal('Fail', 'as wished'), /as wished/);
    await client.stop();
    await server.ending(client.id);
  });
}

/** Which page may ask for a hub at `nginx`: the status of a negotiation, and of an upgrade. */
async function asked(nginx, origin) {
  const answer = await fetch(`${nginx.url}/hub/negotiate?negotiateVersion=1`, { method: 'POST', headers: { origin } });
  const socket = new WebSocket(`${nginx.url.replace('http', 'ws')}/hub`, { origin });
  const upgrade = new Promise((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => {});
  });
  const statuses = [answer.status, await within(SOON, upgrade, 'the answer to an upgrade')];
  socket.terminate();
  return statuses;
}

test('with the documented location a page is known by the host that it asked for', { skip }, async (t) => {
  const nginx = await Nginx.start(t, documented());
  assert.deepEqual(await asked(nginx, nginx.url), [200, 101]);
  assert.deepEqual(await asked(nginx, server.url), [403, 403]);
  assert.deepEqual(await asked(nginx, 'https://evil.example'), [403, 403]);
});

test('X-Forwarded-Host alone tells the page’s host, and without either a page is refused', { skip }, async (t) => {
  const told = `location / { proxy_pass http://127.0.0.1:${server.port}; proxy_set_header X-Forwarded-Host $http_host; }`;
  const [knowing, ignorant] = await Promise.all([Nginx.start(t, told), Nginx.start(t, untouched())]);
  assert.equal((await asked(knowing, knowing.url))[0], 200);
  assert.equal((await asked(ignorant, ignorant.url))[0], 403);
});

test('a page in Chromium behind the documented location', { skip: skip || skipBrowser, timeout: 60_000 }, async (t) => {
  const nginx = await Nginx.start(t, documented());
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${nginx.url}/count/hub`);
  await page.addScriptTag({ path: new URL('node_modules/@microsoft/signalr/dist/browser/signalr.js', import.meta.url).pathname });
  const id = await page.evaluate(async () => {
    const connection = new signalR.HubConnectionBuilder().withUrl('/hub').build();
    await connection.start();
    const id = await connection.invoke('ConnectionId');
    await connection.stop();
    return id;
  });
  assert.deepEqual(await server.ending(id), { transport: 'WebSockets', reason: 'client closed' });
});
