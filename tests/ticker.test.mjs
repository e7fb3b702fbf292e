// The ticker example: a stream of prices that a real browser draws, pauses and goes on with.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip } from './kit/browser.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { END } from './kit/raw.mjs';
import { SOON, until } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));

let server;
let browser;

before(async () => {
  server = await ServerProcess.start('ticker');
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A page that shows prices; the types of the messages that it was sent are in `types`. */
async function visit(t, viewport, url = server.url) {
  const page = await browser.newPage({ viewport });
  t.after(() => page.close());
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  t.after(() => assert.deepEqual(errors, []));
  page.types = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      for (const text of String(payload).split(END).slice(0, -1)) page.types.push(JSON.parse(text).type);
    });
  });
  await page.goto(url);
  await page.locator('#state', { hasText: /^Connected$/ }).waitFor();
  return page;
}

/** The prices of all companies as the page shows them. */
const prices = (page) => page.locator('.company .now').allTextContents();

/** Whether anything was drawn on the big chart. */
const isDrawn = (page) =>
  page.evaluate(() => {
    const canvas = document.getElementById('chart');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  });

/** Waits until the shown prices have changed so often. */
async function changes(page, times) {
  let seen = String(await prices(page));
  for (let i = 0; i < times; i += 1) {
    await until(SOON, 'another price', async () => String(await prices(page)) !== seen);
    seen = String(await prices(page));
  }
}

test('a page draws what is streamed, and gives the stream up', { skip, timeout: 120_000 }, async (t) => {
  const page = await visit(t, { width: 1280, height: 800 });
  await changes(page, 10);
  assert.equal((await prices(page)).length, 8);
  assert.ok(await isDrawn(page));
  assert.equal(await page.locator('#transport').textContent(), 'WebSockets');
  await page.screenshot({ path: join(ARTIFACTS, 'ticker.png') });

  await page.locator('[data-symbol=ORCA]').click();
  await page.locator('#symbol', { hasText: 'ORCA' }).waitFor();
  await page.locator('#chart').hover();
  await page.screenshot({ path: join(ARTIFACTS, 'ticker-pointer.png') });

  await page.locator('#pause').click();
  await page.locator('#pause', { hasText: 'Resume' }).waitFor();
  const ended = await until(SOON, 'the end of the stream', () => page.types.lastIndexOf(3) > page.types.indexOf(2) && page.types.length);
  await page.locator('#pause').click();
  await changes(page, 3);
  // Pings aside, the next that came is the answer to the call that resuming makes.
  assert.equal(page.types.slice(ended).find((type) => type !== 6), 3, 'something was streamed to a page that paused');
});

test('a phone shows it too', { skip, timeout: 120_000 }, async (t) => {
  const page = await visit(t, { width: 390, height: 844 });
  await changes(page, 3);
  assert.ok(await isDrawn(page));
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide`);
  await page.screenshot({ path: join(ARTIFACTS, 'ticker-phone.png') });
});

test('a page whose network comes back goes on', { skip, timeout: 120_000 }, async (t) => {
  const proxy = await Proxy.start(t, server.port);
  const page = await visit(t, { width: 1280, height: 800 }, proxy.url);
  await changes(page, 2);
  proxy.cut();
  await page.locator('#state', { hasText: /^Reconnecting$/ }).waitFor();
  proxy.mend();
  await page.locator('#state', { hasText: /^Connected$/ }).waitFor();
  await changes(page, 3);
});
