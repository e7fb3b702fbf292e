// The ticker example in Chromium: one stream of prices, orders that everybody sees, and a chart that goes on after a lost network.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip } from './kit/browser.mjs';
import { plain } from './kit/clients.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Proxy } from './kit/proxy.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, until } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 760 };
const PHONE = { width: 390, height: 844 };

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

/** A page that is open and has its prices; whatever goes wrong in it fails the test. */
async function visitor(t, { url = server.url, viewport = DESKTOP, colorScheme = 'light' } = {}) {
  const page = await browser.newPage({ viewport, colorScheme });
  t.after(() => page.close());
  const errors = [];
  page.on('pageerror', (error) => errors.push(error));
  t.after(() => assert.deepEqual(errors, []));
  await page.goto(url);
  await page.locator('#state', { hasText: 'Connected' }).waitFor();
  await page.waitForFunction(() => /^\d+\.\d\d$/.test(document.querySelector('#price').textContent));
  return page;
}

const text = (page, selector) => page.locator(selector).textContent();

test('prices move, and everybody sees what is bought', { skip, timeout: 120_000 }, async (t) => {
  const ada = await visitor(t, { colorScheme: 'dark' });
  const bob = await visitor(t, { viewport: PHONE });
  assert.equal(await ada.locator('.company').count(), 6);
  assert.equal(await text(ada, '#transport'), 'WebSockets');
  await ada.locator('#watchers', { hasText: '2' }).waitFor();

  const prices = () => ada.locator('.company .price').allTextContents();
  const before = await prices();
  await until(SOON, 'every price to move', async () => (await prices()).every((price, index) => price !== before[index]));

  await bob.locator('.company', { hasText: 'CRAB' }).click();
  await bob.locator('#buy').click();
  await ada.locator('#news', { hasText: 'Somebody bought CRAB.' }).waitFor();
  await ada.screenshot({ path: join(ARTIFACTS, 'ticker-desktop.png') });
  await bob.screenshot({ path: join(ARTIFACTS, 'ticker-phone.png') });
});

test('the page goes on after a lost network', { skip, timeout: 120_000 }, async (t) => {
  const proxy = await Proxy.start(t, server.port);
  const page = await visitor(t, { url: proxy.url });
  proxy.cut();
  await page.locator('#state', { hasText: 'Reconnecting' }).waitFor();
  const stale = await text(page, '#price');
  proxy.mend();
  await page.locator('#state', { hasText: 'Connected' }).waitFor();
  await page.waitForFunction((stale) => document.querySelector('#price').textContent !== stale, stale);
});

test('who comes back gets what was missed, and no more', { timeout: 60_000 }, async (t) => {
  const client = new Client(plain.builder(`${server.url}/ticker`).build());
  t.after(() => client.stop());
  await client.connection.start();
  const numbers = async (after) => {
    const stream = client.stream('Watch', after);
    const items = [await stream.items.next(), await stream.items.next()];
    stream.stop();
    return items.flat().map(({ number }) => number);
  };
  const first = await numbers(0);
  const last = first.at(-1);
  assert.deepEqual(first, Array.from(first, (_, index) => first[0] + index));
  assert.ok(first.length > 1_000, 'two minutes are kept');

  const missed = await numbers(last - 3);
  assert.deepEqual(missed, Array.from(missed, (_, index) => last - 2 + index));
  assert.ok((await numbers(1_000_000)).length > 1_000, 'another server counts from the beginning');
});
