// Our client in real engines, of 2011 to today: what each can do over which transport, and all of them in one room.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, launchFirefox, skip, skipFirefox } from './kit/browser.mjs';
import { openChromium64, skipChromium64 } from './kit/chromium-64.mjs';
import { FaultProxy, cutAnswer, deadUpgrade, each, holdBack, loseAnswer, loseRequest, pass, refuse } from './kit/faults.mjs';
import { openPhantom, skipPhantom } from './kit/phantom.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { Queue } from './kit/queue.mjs';
import { TestServer } from './kit/server.mjs';
import { spoken } from './kit/spoken.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const CLIENT = path('../crates/hubwire/assets/hubwire.min.js');
const CHECKS = path('kit/pages/checks.js');
const CHATTER = path('kit/pages/chatter.js');
const ARTIFACTS = path('artifacts/');

/** A page loads, connects and falls back in this time, on a machine that is busy. */
const PATIENT = 60_000;

const server = await TestServer.start();
const browsers = new Map();

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  await server.stop();
});

/** One for all tests: each has a page of its own in it. */
function browser(name, launch) {
  if (!browsers.has(name)) browsers.set(name, launch());
  return browsers.get(name);
}

/** Opens `url` in Chromium, with what `strip` names taken away before any script runs. */
async function openChromium(t, { url, globals, scripts, picture }, strip = []) {
  const page = await (await browser('Chromium', launch)).newPage({ viewport: { width: 1000, height: 640 } });
  t.after(() => page.close());
  await page.addInitScript((names) => {
    for (const name of names) delete globalThis[name];
  }, strip);
  return drive(page, { url, globals, scripts, picture });
}

async function openFirefox(t, options) {
  const page = await (await browser('Firefox', launchFirefox)).newPage();
  t.after(() => page.close());
  return drive(page, options);
}

async function drive(page, { url, globals, scripts, picture }) {
  const lines = new Queue('the page');
  page.on('console', async (message) => {
    if (message.text() === 'the end' && picture) await page.screenshot({ path: picture });
    lines.push(message.text());
  });
  page.on('pageerror', ({ message }) => {
    // Firefox's own words about a socket that is cut or does not open.
    if (!/was interrupted while the page was loading|can.t establish a connection/.test(message)) lines.push(`page error: ${message}`);
  });
  await page.goto(url);
  await page.evaluate((globals) => void Object.assign(globalThis, globals), globals);
  for (const path of scripts) await page.addScriptTag({ path });
  return lines;
}

/** Node as it is: without a page, and without what is given to clients elsewhere in these tests. */
function openNode(t, { url, globals, scripts: [client, ...scripts] }) {
  const given = JSON.stringify({ ...globals, BASE: new URL(url).origin });
  // The client is a script, which leaves its exports in the global object.
  const library = `require('node:vm').runInThisContext(require('node:fs').readFileSync(${JSON.stringify(client)}, 'utf8'))`;
  const rest = scripts.map((path) => `require(${JSON.stringify(path)})`);
  return spoken(t, 'Node', process.execPath, ['-e', [`Object.assign(globalThis, ${given})`, library, ...rest].join('; ')]);
}

/** What the page checked, up to its end; `cut` is called when it asks for it, `note` with the transports that it tried. */
async function checked(lines, cut = () => {}, note = () => {}) {
  const checks = [];
  for (;;) {
    const line = await lines.next(PATIENT);
    if (line === 'the end') return checks;
    if (line === 'cut me') await cut();
    if (line.startsWith('tried ')) note(line);
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
  ['Chromium 64', skipChromium64, openChromium64, {}, 'WebSockets'],
  ['Chromium 64, told to stream', skipChromium64, openChromium64, { TRANSPORT: 2 }, 'ServerSentEvents'],
  ['Chromium 64, told to poll', skipChromium64, openChromium64, { TRANSPORT: 4 }, 'LongPolling'],
  ['Firefox', skipFirefox, openFirefox, {}, 'WebSockets'],
  // Node 22 has a WebSocket of its own.
  ['Node', false, openNode, {}, typeof WebSocket === 'function' ? 'WebSockets' : 'LongPolling'],
];

/** Has an engine check everything through a proxy, which is told when it is to be cut. */
function checks(name, skip, open, globals, transport, start) {
  test(`${name}: ${transport}`, { skip, timeout: 120_000 }, async (t) => {
    const { proxy, cut } = await start(t);
    const lines = await open(t, { url: `${proxy.url}/count/big`, globals, scripts: [CLIENT, CHECKS] });
    assert.deepEqual(await checked(lines, cut, (tried) => t.diagnostic(tried)), [
      ['transport', transport],
      ['unicode', true],
      ['error', true],
      ['broadcast', ['to all']],
      ['client result', 'hey!'],
      ['stream here', [0, 1, 2]],
      ['stream there', 42],
      ['100 KB', 100_000],
      ['after the cut', 3],
      ['stopped', 'Disconnected'],
    ]);
    await server.counted(0, 'big', PATIENT);
  });
}

for (const engine of ENGINES) {
  checks(...engine, async (t) => {
    const proxy = await Proxy.start(t, server.port);
    const cut = () => {
      proxy.cut();
      // As soon as the client is bound to have noticed: its next attempt is then let through.
      setTimeout(() => proxy.mend(), 300);
    };
    return { proxy, cut };
  });
}

/** A network in which only polls get through, of which every third answer breaks off in its first message, and two POSTs are lost, once the way there and once the way back. */
function barelyThere() {
  let polls = 0;
  let sends = 0;
  const lost = { 2: loseAnswer, 4: loseRequest };
  return ({ kind }) => {
    if (kind === 'upgrade') return refuse(200);
    if (kind === 'stream') return holdBack;
    if (kind === 'poll') return (polls += 1) % 3 ? pass : cutAnswer(3);
    return (kind === 'send' && lost[(sends += 1)]) || pass;
  };
}

for (const [name, skip, open] of ENGINES.filter(([name, , , globals]) => !/ no |old/.test(name) && !globals.TRANSPORT)) {
  const behind = (what, rule, globals, transport) =>
    checks(`${name}, ${what}`, skip, open, globals, transport, async (t) => {
      const proxy = await FaultProxy.start(t, server.port, rule);
      return { proxy, cut: () => proxy.cut() };
    });
  behind('hardly a network', barelyThere(), { CONNECT_TIMEOUT: 500 }, 'LongPolling');
  // The others have none that opens.
  if (!/1\.9|Node/.test(name)) behind('a WebSocket that opens and is dead', each({ upgrade: deadUpgrade }), {}, 'ServerSentEvents');
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
