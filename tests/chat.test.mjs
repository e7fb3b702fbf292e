// The chat example: two people talk in a real browser, a third finds what was said, and under load nobody misses a word.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip } from './kit/browser.mjs';
import { plain } from './kit/clients.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Client } from './kit/stage.mjs';
import { SOON, until, within } from './kit/within.mjs';

const ARTIFACTS = fileURLToPath(new URL('artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

let server;
let browser;

before(async () => {
  server = await ServerProcess.start('chat');
  if (skip) return;
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launch();
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

test('who comes while others talk misses nothing', { timeout: 120_000 }, async (t) => {
  const everyone = await Promise.all(Array.from({ length: 8 }, () => guest(t)));
  const talkers = everyone.slice(0, 4);
  const joiners = everyone.slice(4);
  let isOver = false;
  const talk = async (talker) => {
    await talker.join('market');
    while (!isOver) await Promise.all(Array.from({ length: 8 }, () => talker.invoke('Say', 'buy!')));
  };
  const visit = async (joiner, i) => {
    for (let n = 0; n < 25; n++) {
      await joiner.join(`corner ${i}`);
      await joiner.join('market');
      await until(SOON, 'a message after the join', () => joiner.messages.at(-1) > (joiner.found.at(-1) ?? 0));
      assert.deepEqual(joiner.messages, [...joiner.messages].sort((a, b) => a - b), 'messages come in their order');
      const known = new Set([...joiner.found, ...joiner.messages]);
      const missed = range(Math.min(...known), Math.max(...known)).filter((id) => !known.has(id));
      assert.deepEqual(missed, [], `between ${joiner.found.at(-1)}, the last in the history, and ${joiner.messages[0]}`);
    }
  };
  const talks = Promise.all(talkers.map(talk));
  try {
    await Promise.all(joiners.map(visit));
  } finally {
    isOver = true;
    await talks;
  }
  for (const { members } of everyone) {
    await until(SOON, 'everyone in the eyes of everyone', () => members.size === everyone.length);
  }
});

test('a join that is refused leaves one in the room', { timeout: 120_000 }, async (t) => {
  const [ada, bob, ...others] = await Promise.all(range(1, 202).map(() => guest(t)));
  await ada.join('harbour');
  await bob.join('harbour');
  assert.match(await ada.refusal('Join', 'x'.repeat(41), 'Ada'), /a room has at most 40 characters/);
  // Rooms of earlier tests may still be there: then some of these are refused, too.
  await Promise.allSettled(others.map((other, i) => other.join(`berth ${i}`)));
  assert.match(await ada.refusal('Join', 'the open sea', 'Ada'), /there are too many rooms/);
  await bob.invoke('Say', 'still here?');
  await ada.invoke('Say', 'yes');
  for (const { messages } of [ada, bob]) {
    await until(SOON, 'both messages', () => messages.length === 2);
  }
});

/** The whole numbers from one to another. */
function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Somebody without a browser, who keeps the ids of what a room's history and its events told since the last join. */
async function guest(t) {
  const client = new Guest(plain.builder(`${server.url}/chat`).build());
  t.after(() => client.stop());
  await within(SOON, client.connection.start(), 'the start of a connection');
  return client;
}

class Guest extends Client {
  found = [];
  messages = [];
  members = new Set();
  #room = null;
  /** What happened before the answer to a join, which is known only after it. */
  #early = null;

  constructor(connection) {
    super(connection);
    const on = (event, happened) =>
      connection.on(event, (room, what) => {
        if (room !== this.#room) return;
        if (this.#early) this.#early.push(() => happened(what.id));
        else happened(what.id);
      });
    on('MessageReceived', (id) => this.messages.push(id));
    on('MemberJoined', (id) => this.members.add(id));
    on('MemberLeft', (id) => this.members.delete(id));
  }

  async join(room) {
    this.#room = room;
    this.#early = [];
    const { history, members } = await this.invoke('Join', room, 'guest');
    this.found = history.map(({ id }) => id);
    this.members = new Set(members.map(({ id }) => id));
    this.messages = [];
    for (const happen of this.#early) happen();
    this.#early = null;
  }
}

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
