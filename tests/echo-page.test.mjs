// The echo example in Chromium: its page over every transport, and a page that knows nothing but WebSocket.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip } from './kit/browser.mjs';
import { ServerProcess } from './kit/process.mjs';
import { SOON, within } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' };
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' };

/** What the page offers, and how it says that a connection has ended because it asked for that. */
const OFFERS = [
  ['WebSockets', 'Closed, code 1000', DESKTOP],
  ['ServerSentEvents', 'Closed, the stream was left', PHONE],
  ['LongPolling', 'Closed, DELETE was answered 202', DESKTOP],
  ['ShortPolling', 'Closed, DELETE was answered 202', PHONE],
  ['WebSocket', 'Closed, code 1000', PHONE],
];

let server;
let browser;

before(async () => {
  server = await ServerProcess.start('echo');
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A page of a visitor's own that complains about nothing. */
async function visit(t, look, url) {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(url);
  return page;
}

/** What the log says, entry for entry, without the times. */
const entries = (page) =>
  page.locator('#log li').evaluateAll((items) =>
    items.map((item) => [...item.children].slice(1).map((part) => part.textContent).join(' ')),
  );

for (const [transport, farewell, look] of OFFERS) {
  test(`the page talks over ${transport}`, { skip, timeout: 60_000 }, async (t) => {
    const page = await visit(t, look, server.url);
    const offer = page.locator(`#transport option[value=${transport}]`);
    await page.locator('#transport').selectOption(transport);
    await page.locator('#connect').click();
    await page.locator('#state[data-state=open]').waitFor();
    assert.equal(await page.locator('#carrier').textContent(), transport);

    const expected = [`· Connecting: ${await offer.textContent()}`, '· Open'];
    const say = async (text, kindAndSize) => {
      await page.locator('#text').fill(text);
      await page.locator('#text').press('Enter');
      await page.locator('.received .body', { hasText: text }).waitFor();
      expected.push(`↑ ${kindAndSize} ${text}`, `↓ ${kindAndSize} ${text}`);
    };
    await say('Grüße, <b>Hubwire</b>', 'text 23 B');
    if (transport === 'ServerSentEvents') {
      assert.ok(await page.locator('#kinds input[value=binary]').isDisabled());
      await page.locator('#hint', { hasText: 'An event stream carries text only.' }).waitFor();
    } else {
      await page.locator('#kinds input[value=binary]').check();
      await say('00 ff 80', 'binary 3 B');
      await page.locator('#text').fill('0');
      await page.locator('#send').click();
      await page.locator('#hint', { hasText: 'pairs of hexadecimal digits' }).waitFor();
      await page.locator('#kinds input[value=text]').check();
    }
    await page.screenshot({ path: join(ARTIFACTS, `echo-${transport}.png`) });

    await page.locator('#close').click();
    await page.locator('#state[data-state=closed]').waitFor();
    expected.push(`· ${farewell}`);
    assert.deepEqual(await entries(page), expected);

    // The page is as new afterwards.
    await page.locator('#connect').click();
    await page.locator('#state[data-state=open]').waitFor();
    await say('again', 'text 5 B');
  });
}

test('a server that goes down is seen over every transport', { skip, timeout: 60_000 }, async (t) => {
  const own = await ServerProcess.start('echo');
  t.after(() => own.stop());
  const pages = [];
  for (const [transport] of OFFERS) {
    const page = await visit(t, DESKTOP, own.url);
    await page.locator('#transport').selectOption(transport);
    await page.locator('#connect').click();
    await page.locator('#state[data-state=open]').waitFor();
    pages.push(page);
  }
  own.terminate();
  await own.ended();
  const ends = [];
  for (const page of pages) {
    await page.locator('#state[data-state=closed]').waitFor();
    ends.push((await entries(page)).at(-1));
  }
  assert.deepEqual(ends, [
    '· Closed, code 1001',
    '· Closed, the stream ended',
    '· Closed, the server ended it',
    '· Closed, the server ended it',
    '· Closed, code 1001',
  ]);
});

test('a bare WebSocket of a page needs nothing else', { skip, timeout: 60_000 }, async (t) => {
  const page = await visit(t, DESKTOP, server.url);
  const talk = page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    const next = (event) => new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
    await next('open');
    const echoes = [];
    for (const data of ['text', '', Uint8Array.of(0, 255)]) {
      socket.send(data);
      const { data: echo } = await next('message');
      echoes.push(typeof echo === 'string' ? echo : [...new Uint8Array(echo)]);
    }
    socket.close(4000, 'bye');
    const { code, wasClean } = await next('close');
    return { echoes, code, wasClean };
  }, `${server.url.replace('http', 'ws')}/echo`);
  assert.deepEqual(await within(SOON, talk, 'the talk'), { echoes: ['text', '', [0, 255]], code: 4000, wasClean: true });
});
