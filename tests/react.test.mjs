// The React example in Chromium: behind Vite's dev server, where StrictMode does everything twice, and as it is built.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip as skipBrowser } from './kit/browser.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { until } from './kit/within.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const ROOT = path('../examples/react/');
const ARTIFACTS = path('artifacts/');
const DESKTOP = { width: 900, height: 620 };
const PHONE = { width: 390, height: 700 };

/** A page is compiled, loads and connects in this time, on a machine that is busy. */
const PATIENT = 60_000;

const isInstalled = ['../examples/react/node_modules/vite', '../js-client/node_modules/rollup'].every((name) => existsSync(path(name)));
const skip = skipBrowser || (!process.env.CI && !isInstalled && '`npm ci` in examples/react and in js-client comes before');

let vite;
let chat;
let browser;

before(async () => {
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  // Its own tests build the client, and come before these.
  if (!existsSync(path('../js-client/dist/hubwire.mjs'))) execFileSync('npm', ['run', 'build', '--silent', '--prefix', path('../js-client')], { stdio: 'inherit' });
  vite = await import(join(ROOT, 'node_modules/vite/dist/node/index.js'));
  chat = await ServerProcess.start('chat');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await chat?.stop();
});

/** How Vite serves `what`, as its command line would, on a free port and in front of the server at `SERVER`. */
async function serve(t, what, SERVER, options) {
  process.env.SERVER = SERVER;
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await what({ root: ROOT, logLevel: 'silent', server: listen, preview: listen, ...options });
  if (server.listen) await server.listen();
  t.after(() => server.close());
  return `http://127.0.0.1:${server.httpServer.address().port}/`;
}

/** Somebody in the room, and how often their page negotiated. */
async function visit(t, url, name, viewport = DESKTOP, colorScheme = 'light') {
  const page = await browser.newPage({ viewport, colorScheme });
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENT);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  // React's warnings come there; so does the browser's word about a network that is cut.
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket/.test(message.text())) errors.push(message.text());
  });
  t.after(() => assert.deepEqual(errors, []));
  const visitor = { page, negotiations: 0 };
  page.on('request', (request) => {
    if (request.url().includes('/chat/negotiate')) visitor.negotiations += 1;
  });
  await page.goto(url);
  await enter(page, name);
  return visitor;
}

async function enter(page, name) {
  await page.fill('#name', name);
  await page.getByRole('button', { name: 'Join' }).click();
  await here(page, name);
}

const here = (page, name) => page.locator('#members li', { hasText: name }).waitFor();
const heard = (page, text) => page.locator('.message p', { hasText: text }).waitFor();
const members = (page) => page.locator('#members li').allTextContents();

async function say(page, text) {
  await page.fill('#text', text);
  await page.getByRole('button', { name: 'Say' }).click();
}

test('while it is worked on', { skip, timeout: 180_000 }, async (t) => {
  const proxy = await Proxy.start(t, chat.port);
  const url = await serve(t, vite.createServer, proxy.url);
  const ada = await visit(t, url, 'Ada', DESKTOP, 'dark');
  assert.equal(ada.negotiations, 1, 'StrictMode puts every component there twice, and there is one connection');
  const bob = await visit(t, url, 'Bob', PHONE);
  await here(ada.page, 'Bob');
  await say(bob.page, 'Hello from a phone');
  await heard(ada.page, 'Hello from a phone');
  await say(ada.page, 'Hello, Bob.');
  await heard(bob.page, 'Hello, Bob.');
  await ada.page.screenshot({ path: join(ARTIFACTS, 'react-desktop.png') });
  await bob.page.screenshot({ path: join(ARTIFACTS, 'react-phone.png') });

  await t.test('who leaves has no connection any more, and gets one when they are back', async () => {
    await ada.page.click('#leave');
    await until(PATIENT, 'Ada to be gone', async () => String(await members(bob.page)) === 'Bob');
    await enter(ada.page, 'Ada');
    await here(bob.page, 'Ada');
    assert.equal(ada.negotiations, 2);
    // What was said meanwhile and before is there once.
    assert.deepEqual(await ada.page.locator('.message p').allTextContents(), ['Hello from a phone', 'Hello, Bob.']);
  });

  await t.test('the room is joined again after a lost network', async () => {
    proxy.cut();
    await ada.page.locator('#status', { hasText: 'Reconnecting' }).waitFor();
    assert.ok(await ada.page.getByRole('button', { name: 'Say' }).isDisabled());
    proxy.mend();
    for (const { page } of [ada, bob]) {
      await until(PATIENT, 'both to be back', async () => String((await members(page)).sort()) === 'Ada,Bob');
    }
    await say(ada.page, 'Where were we?');
    await heard(bob.page, 'Where were we?');
  });
});

test('as it is built', { skip, timeout: 180_000 }, async (t) => {
  const outDir = mkdtempSync(join(tmpdir(), 'hubwire-react-'));
  t.after(() => rmSync(outDir, { recursive: true }));
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', ROOT], { stdio: 'inherit' });
  await vite.build({ root: ROOT, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  const url = await serve(t, vite.preview, chat.url, { build: { outDir } });
  const eve = await visit(t, url, 'Eve');
  await say(eve.page, 'Built');
  await heard(eve.page, 'Built');
  assert.equal(eve.negotiations, 1);
});
