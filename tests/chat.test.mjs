// The chat example in a real browser: two people talk, a third finds what was said.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { ServerProcess } from './kit/process.mjs';
import { SOON } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)))
  .find(existsSync);
// CI promises a browser; elsewhere its absence is said and skipped.
const skip = !executablePath && !process.env.CI && 'no Chromium in PATH';

let server;
let browser;

before(async () => {
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  server = await ServerProcess.start('chat');
  browser = await chromium.launch({
    executablePath,
    // Chromium refuses its sandbox to root; the rest keeps it from talking to anybody but the server.
    args: [
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('two people talk in a room', { skip, timeout: 120_000 }, async (t) => {
  const ada = await visitor(t, DESKTOP);
  const bob = await visitor(t, PHONE);
  await ada.join('Ada', 'garden');
  await ada.page.locator('#transport', { hasText: 'WebSockets' }).waitFor();
  await ada.page.locator('#state', { hasText: /connected/i }).waitFor();
  await bob.join('Bob', 'garden');

  await ada.sees('#members .member', ['Ada', 'Bob']);
  await ada.say('Hello from the desktop');
  await bob.sees('.message .text', ['Hello from the desktop']);
  await bob.page.locator('#text').pressSequentially('Hi A');
  await ada.page.locator('#typing', { hasText: /Bob is typing/ }).waitFor();
  await bob.say('Hi Ada, <b>from</b> the phone 👋');
  for (const person of [ada, bob]) {
    await person.sees('.message .text', ['Hello from the desktop', 'Hi Ada, <b>from</b> the phone 👋']);
  }
  await ada.page.locator('#typing', { hasText: /Bob is typing/ }).waitFor({ state: 'hidden' });

  await ada.page.screenshot({ path: join(ARTIFACTS, 'chat-desktop.png') });
  await bob.page.screenshot({ path: join(ARTIFACTS, 'chat-phone.png') });

  const eve = await visitor(t, DESKTOP);
  await eve.join('Eve', 'garden');
  await eve.sees('.message .text', ['Hello from the desktop', 'Hi Ada, <b>from</b> the phone 👋']);
  await eve.sees('#members .member', ['Ada', 'Bob', 'Eve']);
  await bob.page.close();
  await ada.sees('#members .member', ['Ada', 'Eve']);
});

test('rooms do not hear each other', { skip, timeout: 120_000 }, async (t) => {
  const ada = await visitor(t, DESKTOP);
  const bob = await visitor(t, DESKTOP);
  await ada.join('Ada', 'north');
  await bob.join('Bob', 'south');
  await ada.say('only the north');
  await bob.say('only the south');
  await ada.sees('.message .text', ['only the north']);
  await bob.sees('.message .text', ['only the south']);
});

/** Somebody with a browser of their own: nothing is shared between two visitors but the server. */
async function visitor(t, viewport) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(SOON);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });

  return {
    page,
    async join(name, room) {
      await page.goto(server.url);
      await page.locator('#name').fill(name);
      await page.locator('#room').fill(room);
      await page.locator('#join').click();
      await page.locator('#members .member', { hasText: name }).first().waitFor({ state: 'attached' });
    },
    async say(text) {
      await page.locator('#text').fill(text);
      await page.locator('#send').click();
    },
    /** Waits until the elements that `selector` finds contain these texts, in this order and no others. */
    async sees(selector, texts) {
      const matches = ([selector, texts]) => {
        const found = [...document.querySelectorAll(selector)].map((element) => element.textContent);
        return found.length === texts.length && texts.every((text, i) => found[i].includes(text));
      };
      try {
        await page.waitForFunction(matches, [selector, texts]);
      } catch {
        assert.deepEqual(await page.locator(selector).allTextContents(), texts);
      }
    },
  };
}
