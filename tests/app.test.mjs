// The app example: who may connect and how, what everyone sees, who is reminded, and what signing out ends.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as signalr from '@microsoft/signalr';
import WebSocket from 'ws';

import { launch, skip } from './kit/browser.mjs';
import { ServerProcess } from './kit/process.mjs';
import { HANDSHAKE, RawClient, invocation } from './kit/raw.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, within } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** Microsoft's client as one script for pages. */
const OFFICIAL = fileURLToPath(new URL('node_modules/@microsoft/signalr/dist/browser/signalr.min.js', import.meta.url));
const PASSWORDS = { ada: 'lovelace', grace: 'hopper' };
const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

let server;
let browser;

before(async () => {
  server = await ServerProcess.start('app');
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('the board is for those who sign in', async () => {
  const stranger = await request('/');
  assert.equal(stranger.status, 303);
  assert.equal(stranger.headers.get('location'), '/sign-in');
  assert.equal((await request('/sign-out', { method: 'POST' })).headers.get('location'), '/sign-in');
  const ada = await request('/', { headers: { cookie: await cookieOf('ada') } });
  assert.equal(ada.status, 200);
  assert.match(await ada.text(), /<title>Team board<\/title>/);
});

test('a wrong password is no way in', async () => {
  const wrong = 'The name and the password do not belong together.</p>';
  for (const [user, password] of [['ada', 'hopper'], ['ada', ''], ['eve', 'lovelace']]) {
    const form = await signIn(user, password);
    assert.equal(form.status, 401);
    assert.equal(form.headers.get('set-cookie'), null);
    assert.match(await form.text(), new RegExp(`<p class="error" id="error" role="alert">${wrong}`));
    assert.equal((await askForToken(user, password)).status, 401);
  }
  assert.match(await server.fetch('/sign-in'), new RegExp(`id="error" hidden role="alert">${wrong}`));
});

test('strangers are refused with 401, on negotiation and on every transport', async () => {
  const { token, ...known } = { token: await tokenOf('ada'), cookie: await cookieOf('ada') };
  const negotiated = await request('/api/live/negotiate?negotiateVersion=1', { method: 'POST', headers: known });
  const { connectionToken } = await negotiated.json();
  const forged = `${token.slice(0, -4)}AAAA`;
  const strangers = [{}, { cookie: 'session=made%20up' }, { authorization: `Bearer ${forged}` }, { authorization: 'Basic YWRhOmxvdmVsYWNl' }];
  for (const headers of strangers) {
    const refused = async (path, init) => (await request(path, { ...init, headers: { ...headers, ...init.headers } })).status;
    const at = `/api/live?id=${connectionToken}`;
    assert.equal(await refused('/api/live/negotiate?negotiateVersion=1', { method: 'POST' }), 401);
    assert.equal(await refused(at, { headers: { accept: 'text/event-stream' } }), 401);
    assert.equal(await refused(at, {}), 401);
    assert.equal(await upgrade(at, headers), 401);
    assert.equal(await upgrade('/api/live', headers), 401);
  }
  assert.equal(await upgrade(`/api/live?access_token=${forged}`, {}), 401);
  for (const transport of TRANSPORTS) {
    const start = connection(transport).start();
    await assert.rejects(within(SOON, start, 'a refusal'), (error) => error.statusCode === 401 || /401/.test(error.message));
  }
});

for (const transport of TRANSPORTS) {
  test(`a cookie opens the hub over ${transport}`, async (t) => {
    const client = await live(t, transport, { headers: { cookie: await cookieOf('ada') } });
    const { you, people } = await client.invoke('Open');
    assert.equal(you, 'ada');
    assert.deepEqual(people, [{ id: 'ada', name: 'Ada Lovelace' }, { id: 'grace', name: 'Grace Hopper' }]);
  });

  test(`a token opens the hub over ${transport}`, async (t) => {
    const client = await live(t, transport, { accessTokenFactory: () => tokenOf('grace') });
    assert.equal((await client.invoke('Open')).you, 'grace');
  });

  test(`signing out ends every connection of the user over ${transport}, and they do not come back`, async (t) => {
    const cookie = await cookieOf('ada');
    const token = await tokenOf('ada');
    const reconnecting = (builder) => builder.withAutomaticReconnect([0, 0, 0]);
    const tab = await live(t, transport, { headers: { cookie } }, reconnecting);
    const device = await live(t, transport, { accessTokenFactory: () => token }, reconnecting);
    const grace = await live(t, transport, { headers: { cookie: await cookieOf('grace') } });

    const out = await request('/sign-out', { method: 'POST', headers: { cookie } });
    assert.equal(out.headers.get('location'), '/sign-in');
    assert.match(out.headers.get('set-cookie'), /^session=;.*Max-Age=0/);
    for (const client of [tab, device]) {
      assert.equal(await client.close(), undefined);
      await assert.rejects(within(SOON, client.connection.start(), 'a refusal'), /401/);
    }
    assert.equal((await request('/', { headers: { cookie } })).status, 303);
    assert.equal((await grace.invoke('Open')).you, 'grace');

    // Whoever has signed in again is out of the reach of the old cookie.
    const again = await live(t, transport, { headers: { cookie: await cookieOf('ada') } });
    await request('/sign-out', { method: 'POST', headers: { cookie } });
    assert.equal((await again.invoke('Open')).you, 'ada');
  });
}

test('who signs out before the handshake is not let in', async (t) => {
  const cookie = await cookieOf('ada');
  const client = await RawClient.open(t, `${server.url}/api/live?access_token=${await tokenOf('ada')}`);
  await request('/sign-out', { method: 'POST', headers: { cookie } });
  client.send(HANDSHAKE);
  assert.deepEqual(await client.messages.take(2), [{}, { type: 7, error: 'Connection closed with an error. HubException: you have signed out' }]);
});

test('a token may be in the query, where the log does not show it', async (t) => {
  const token = await tokenOf('ada');
  const client = await RawClient.connect(t, `${server.url}/api/live?access_token=${token}`);
  client.send(invocation('Open', [], '1'));
  assert.equal((await client.messages.next()).result.you, 'ada');
  // A request is logged when its answer ends, which for a WebSocket is its own end.
  client.socket.close();
  await server.logged(/ "GET \/api\/live\?access_token= HTTP\/1.1" 101 /);
  assert.deepEqual(server.lines.filter((line) => line.includes(token) || /[?&]id=[^ &]/.test(line)), []);
});

test('everyone sees what changes', async (t) => {
  const [ada, grace] = await Promise.all([person(t, 'ada'), person(t, 'grace')]);
  await ada.invoke('AddTask', '  Write the notes ', 'grace', null);
  const task = await grace.heard('TaskChanged').next();
  assert.deepEqual(task, { id: task.id, title: 'Write the notes', assignee: 'grace', place: 'todo', due: null, version: 1 });
  await grace.invoke('MoveTask', task.id, 'doing');
  const moved = { ...task, place: 'doing', version: 2 };
  assert.deepEqual(await ada.heard('TaskChanged').take(2), [task, moved]);
  assert.deepEqual((await ada.invoke('Open')).tasks.find(({ id }) => id === task.id), moved);
  await ada.invoke('RemoveTask', task.id);
  assert.equal(await grace.heard('TaskRemoved').next(), task.id);
  assert.equal((await ada.invoke('Open')).tasks.find(({ id }) => id === task.id), undefined);

  assert.match(await ada.refusal('MoveTask', task.id, 'done'), /somebody has removed this task$/);
  assert.match(await ada.refusal('AddTask', '  ', 'ada', null), /say what is to be done$/);
  assert.match(await ada.refusal('AddTask', 'x'.repeat(121), 'ada', null), /a title has at most 120 characters$/);
  assert.match(await ada.refusal('AddTask', 'x', 'eve', null), /choose somebody who has an account$/);
});

test('a reminder is for the user of its task, on all their devices, and waits for them', async (t) => {
  const [ada, tab, device] = await Promise.all([person(t, 'ada'), person(t, 'grace'), person(t, 'grace')]);
  await ada.invoke('AddTask', 'for grace', 'grace', 0);
  for (const client of [tab, device]) assert.equal((await client.heard('Reminder').next()).title, 'for grace');
  await Promise.all([tab.stop(), device.stop()]);
  await ada.invoke('AddTask', 'for grace, later', 'grace', 0);
  await ada.invoke('AddTask', 'for ada', 'ada', 0);
  assert.equal((await ada.heard('Reminder').next()).title, 'for ada');
  const back = await person(t, 'grace');
  assert.equal((await back.heard('Reminder').next()).title, 'for grace, later');
});

test('a board in a file is there after a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'board-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const env = { DATABASE_URL: `sqlite:${join(folder, 'board.db')}` };
  for (const titles of [[], ['kept']]) {
    const other = await ServerProcess.start('app', env);
    t.after(() => other.stop());
    const client = await live(t, 'WebSockets', { accessTokenFactory: () => tokenOf('ada', other) }, undefined, other);
    assert.deepEqual((await client.invoke('Open')).tasks.map(({ title }) => title), titles);
    await client.invoke('AddTask', 'kept', 'ada', null);
    await client.stop();
    await other.stop();
  }
});

test('requests that are given up halfway cost nobody the board', async () => {
  const cookie = await cookieOf('ada');
  for (let i = 0; i < 200; i += 1) {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET / HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nCookie: ${cookie}\r\n\r\n`, () => socket.destroy());
    await once(socket, 'close');
  }
  assert.equal((await request('/', { headers: { cookie } })).status, 200);
});

test('two people share a board', { skip, timeout: 120_000 }, async (t) => {
  const ada = await visitor(t, 'ada', DESKTOP);
  const grace = await visitor(t, 'grace', PHONE);
  await ada.add('Order the cables', 'Grace Hopper');
  const card = grace.card('todo', 'Order the cables');
  await card.waitFor();
  await card.getByRole('button', { name: 'Move Order the cables to Doing' }).click();
  await ada.card('doing', 'Order the cables').waitFor();

  await ada.add('Read <b>the</b> proofs 👀', 'Grace Hopper', '10');
  await grace.page.locator('.reminder', { hasText: 'Read <b>the</b> proofs 👀' }).waitFor({ timeout: 30_000 });
  assert.equal(await ada.page.locator('.reminder').count(), 0);
  await ada.page.screenshot({ path: join(ARTIFACTS, 'app-desktop.png') });
  await grace.page.screenshot({ path: join(ARTIFACTS, 'app-phone.png') });

  await grace.card('doing', 'Order the cables').getByRole('button', { name: 'Remove' }).click();
  await ada.card('doing', 'Order the cables').waitFor({ state: 'detached' });
});

test('a browser brings its cookie, whatever the transport', { skip, timeout: 120_000 }, async (t) => {
  const { page } = await visitor(t, 'grace', DESKTOP);
  await page.addScriptTag({ path: OFFICIAL });
  for (const transport of TRANSPORTS) {
    const you = await page.evaluate(async (transport) => {
      const connection = new signalR.HubConnectionBuilder()
        .withUrl('/api/live', signalR.HttpTransportType[transport])
        .configureLogging(signalR.LogLevel.None)
        .build();
      await connection.start();
      return (await connection.invoke('Open')).you;
    }, transport);
    assert.equal(you, 'grace', transport);
  }
});

test('signing out in one tab ends the others', { skip, timeout: 120_000 }, async (t) => {
  const ada = await visitor(t, 'ada', DESKTOP);
  const tab = await ada.another();
  const elsewhere = await visitor(t, 'ada', PHONE);
  const grace = await visitor(t, 'grace', DESKTOP);
  await ada.page.locator('#sign-out').click();
  for (const { page } of [ada, tab, elsewhere]) await page.waitForURL(`${server.url}/sign-in`);
  await elsewhere.page.goto(server.url);
  await elsewhere.page.waitForURL(`${server.url}/sign-in`);
  await grace.page.locator('#state', { hasText: 'Connected' }).waitFor();
});

test('a page says that the password is wrong', { skip, timeout: 120_000 }, async (t) => {
  const context = await browser.newContext({ viewport: PHONE });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(server.url);
  await page.locator('#user').fill('ada');
  await page.locator('#password').fill('wrong');
  await page.locator('#sign-in').click();
  await page.getByRole('alert').waitFor({ timeout: SOON });
});

function request(path, init, at = server) {
  return fetch(at.url + path, { redirect: 'manual', signal: AbortSignal.timeout(SOON), ...init });
}

function signIn(user, password) {
  return request('/sign-in', { method: 'POST', body: new URLSearchParams({ user, password }) });
}

/** The cookie of a new session, as a browser sends it. */
async function cookieOf(user) {
  const answer = await signIn(user, PASSWORDS[user]);
  assert.equal(answer.headers.get('location'), '/');
  const cookie = answer.headers.get('set-cookie');
  assert.match(cookie, /; HttpOnly; SameSite=Lax/);
  return cookie.split(';')[0];
}

function askForToken(user, password, at = server) {
  const headers = { 'content-type': 'application/json' };
  return request('/api/token', { method: 'POST', headers, body: JSON.stringify({ user, password }) }, at);
}

async function tokenOf(user, at = server) {
  const { token, expires_in } = await (await askForToken(user, PASSWORDS[user], at)).json();
  assert.equal(expires_in, 3600);
  return token;
}

/** What a WebSocket handshake is answered when it is refused. */
async function upgrade(path, headers) {
  const socket = new WebSocket(server.url.replace(/^http/, 'ws') + path, { headers });
  const [, response] = await within(SOON, once(socket, 'unexpected-response'), 'a refusal of a WebSocket');
  socket.on('error', () => {});
  socket.terminate();
  return response.statusCode;
}

/** A connection of the official client that is not started yet. */
function connection(transport, options = {}, tune = (builder) => builder, at = server) {
  const builder = new signalr.HubConnectionBuilder()
    .withUrl(`${at.url}/api/live`, { ...options, transport: signalr.HttpTransportType[transport] })
    .configureLogging(signalr.LogLevel.None);
  return tune(builder).build();
}

/** A client that is connected. */
async function live(t, transport, options, tune, at) {
  const client = new Client(connection(transport, options, tune, at));
  for (const event of ['TaskChanged', 'TaskRemoved', 'Reminder']) client.heard(event);
  t.after(() => client.stop());
  await within(SOON, client.connection.start(), 'the start of a connection');
  return client;
}

async function person(t, user) {
  return live(t, 'WebSockets', { headers: { cookie: await cookieOf(user) } });
}

/** Somebody who signs in with a browser of their own. */
async function visitor(t, user, viewport) {
  const context = await browser.newContext({ viewport });
  const errors = [];
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });

  const tab = async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(SOON);
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(server.url);
    return page;
  };
  const page = await tab();
  await page.locator('#user').fill(user);
  await page.locator('#password').fill(PASSWORDS[user]);
  await page.locator('#sign-in').click();
  await page.locator('body.open').waitFor();

  return {
    page,
    async another() {
      const page = await tab();
      await page.locator('body.open').waitFor();
      return { page };
    },
    async add(title, assignee, due = '') {
      await page.locator('#title').fill(title);
      await page.locator('#assignee').selectOption({ label: `For ${assignee}` });
      await page.locator('#due').selectOption(due);
      await page.locator('#add').click();
      await this.card('todo', title).waitFor();
    },
    card(place, title) {
      return page.locator(`[data-place="${place}"] .task`, { hasText: title });
    },
  };
}
