// Our client in real engines, of 2011 to today: what each can do over which transport, and all of them in one room.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, launchFirefox, skip, skipFirefox } from './kit/browser.mjs';
import { openPhantom, skipPhantom } from './kit/phantom.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { Queue } from './kit/queue.mjs';
import { TestServer } from './kit/server.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const CLIENT = path('../crates/hubwire/assets/hubwire.min.js');
const CHECKS = path('kit/pages/checks.js');
const CHATTER = path('kit/pages/chatter.js');
const ARTIFACTS = path('artifacts/');

/** A page loads, connects and falls back in this time, on a machine that is busy. */
const PATIENT = 60_000;

const server = await TestServer.start();
after(() => server.stop());

/** Opens `url` in Chromium, with what `strip` names taken away before any script runs. */
async function openChromium(t, { url, globals, scripts, picture }, strip = []) {
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
  await page.addInitScript((names) => {
    for (const name of names) delete globalThis[name];
  }, strip);
  return drive(page, { url, globals, scripts, picture });
}

async function openFirefox(t, options) {
  const browser = await launchFirefox();
  t.after(() => browser.close());
  return drive(await browser.newPage(), options);
}

async function drive(page, { url, globals, scripts, picture }) {
  const lines = new Queue('the page');
  page.on('console', async (message) => {
    if (message.text() === 'the end' && picture) await page.screenshot({ path: picture });
    lines.push(message.text());
  });
  page.on('pageerror', ({ message }) => {
    // Firefox's own word about a socket that is cut.
    if (!/was interrupted while the page was loading/.test(message)) lines.push(`page error: ${message}`);
  });
  await page.goto(url);
  await page.evaluate((globals) => void Object.assign(globalThis, globals), globals);
  for (const path of scripts) await page.addScriptTag({ path });
  return lines;
}

/** What the page checked, up to its end; `cut` is called when it asks for it. */
async function checked(lines, cut = () => {}) {
  const checks = [];
  for (;;) {
    const line = await lines.next(PATIENT);
    if (line === 'the end') return checks;
    if (line === 'cut me') await cut();
    if (line.startsWith('check ')) checks.push(JSON.parse(line.slice(6)));
    assert.doesNotMatch(line, /^page error/);
  }
}

const LADDER = [[[], 'WebSockets'], [['WebSocket'], 'ServerSentEvents'], [['WebSocket', 'EventSource'], 'LongPolling']];

const ENGINES = [
  ['PhantomJS 1.9.8', skipPhantom, (t, options) => openPhantom(t, 1, options), {}, 'ServerSentEvents'],
  ['PhantomJS 1.9.8, told to poll', skipPhantom, (t, options) => openPhantom(t, 1, options), { TRANSPORT: 4 }, 'LongPolling'],
  ['PhantomJS 1.9.8, told to poll shortly', skipPhantom, (t, options) => openPhantom(t, 1, options), { TRANSPORT: 128 }, 'ShortPolling'],
  ['PhantomJS 2.1.1', skipPhantom, (t, options) => openPhantom(t, 2, options), {}, 'WebSockets'],
  ['PhantomJS 2.1.1, told to poll', skipPhantom, (t, options) => openPhantom(t, 2, options), { TRANSPORT: 4 }, 'LongPolling'],
  ...LADDER.map(([strip, transport]) => [
    `Chromium${strip.map((name) => `, no ${name}`).join('')}`, skip, (t, options) => openChromium(t, options, strip), {}, transport,
  ]),
  [
    'Chromium as if it were old', skip,
    (t, options) => openChromium(t, options, ['WebSocket', 'EventSource', 'Promise', 'fetch']), { TRANSPORT: 128 }, 'ShortPolling',
  ],
  ['Firefox', skipFirefox, openFirefox, {}, 'WebSockets'],
];

for (const [name, skip, open, globals, transport] of ENGINES) {
  test(`${name}: ${transport}`, { skip, timeout: 120_000 }, async (t) => {
    const proxy = await Proxy.start(t, server.port);
    const lines = await open(t, { url: `${proxy.url}/count/big`, globals, scripts: [CLIENT, CHECKS] });
    const checks = await checked(lines, () => {
      proxy.cut();
      // As soon as the client is bound to have noticed: its next attempt is then let through.
      setTimeout(() => proxy.mend(), 300);
    });
    assert.deepEqual(checks, [
      ['transport', transport],
      ['unicode', true],
      ['error', true],
      ['broadcast', ['to all']],
      ['client result', 'hey!'],
      ['100 KB', 100_000],
      ['after the cut', 3],
      ['stopped', 'Disconnected'],
    ]);
    await server.counted(0, 'big', PATIENT);
  });
}

test('three browsers, fifteen years apart, in one room', { skip: skip || skipPhantom, timeout: 120_000 }, async (t) => {
  mkdirSync(ARTIFACTS, { recursive: true });
  const chat = await ServerProcess.start('chat');
  t.after(() => chat.stop());
  const visit = (NAME) => ({
    url: chat.url, globals: { NAME, EVERYBODY: 3 }, scripts: [CHATTER], picture: join(ARTIFACTS, `engines-${NAME}.png`),
  });
  const visitors = await Promise.all([
    openPhantom(t, 1, visit('2011')),
    openPhantom(t, 2, visit('2013')),
    openChromium(t, visit('today')),
  ]);
  const texts = ['Greetings from 2011', 'Greetings from 2013', 'Greetings from today'];
  assert.deepEqual(await Promise.all(visitors.map((lines) => checked(lines))), [
    [['ServerSentEvents', 'Connected', texts]],
    [['WebSockets', 'Connected', texts]],
    [['WebSockets', 'Connected', texts]],
  ]);
});
