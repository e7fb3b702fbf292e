// MessagePack in browsers: the official client and its package as a page has them, beside a page that speaks JSON.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { launch, launchFirefox, skip, skipFirefox } from './kit/browser.mjs';
import { TestServer } from './kit/server.mjs';
import { SOON, within } from './kit/within.mjs';

const server = await TestServer.start();
after(() => server.stop());

const script = (name) => new URL(`node_modules/@microsoft/${name}`, import.meta.url).pathname;

/** Browsers, and a page in each; they come from two libraries, which agree in what is used here. */
const BROWSERS = [
  ['Chromium', { skip }, launch],
  ['Firefox', { skip: skipFirefox }, launchFirefox],
];

/** A page of the server with the official scripts in it. */
async function open(browser) {
  const page = await browser.newPage();
  await page.goto(`${server.url}/count/hub`);
  await page.addScriptTag({ path: script('signalr/dist/browser/signalr.js') });
  await page.addScriptTag({ path: script('signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.js') });
  return page;
}

/** Runs in a page: connects it, and keeps what it hears. */
async function connect({ transport, isPacked }) {
  const builder = new signalR.HubConnectionBuilder()
    .withUrl('/hub', { transport: signalR.HttpTransportType[transport] })
    .configureLogging(signalR.LogLevel.None);
  if (isPacked) builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
  window.hub = builder.build();
  window.heard = new Promise((resolve) => hub.on('Notify', resolve));
  await hub.start();
}

/** Runs in a page: what it is answered, as something that comes out of the page unharmed. */
async function converse() {
  const bytes = await hub.invoke('Reversed', Uint8Array.of(1, 30, 255, 0));
  const time = await hub.invoke('SameTime', new Date('1969-07-20T20:17:40.5Z'));
  const items = [];
  await new Promise((complete, error) => hub.stream('Counter', 3).subscribe({ next: (item) => items.push(item), complete, error }));
  const big = await hub.invoke('Echo', 'Ω🙂'.repeat(4_000));
  return {
    bytes: bytes instanceof Uint8Array && Array.from(bytes),
    time: time instanceof Date && time.toISOString(),
    items,
    big: big === 'Ω🙂'.repeat(4_000),
  };
}

for (const [name, options, start] of BROWSERS) {
  test(`bytes, dates, streams and broadcasts in ${name}`, options, async (t) => {
    const browser = await start();
    t.after(() => browser.close());
    const pages = [];
    for (const [transport, isPacked] of [['WebSockets', true], ['LongPolling', true], ['WebSockets', false]]) {
      const page = await open(browser);
      await within(SOON, page.evaluate(connect, { transport, isPacked }), `${transport} to connect`);
      if (isPacked) {
        assert.deepEqual(await within(SOON, page.evaluate(converse), 'the answers'), {
          bytes: [0, 255, 30, 1],
          time: '1969-07-20T20:17:40.500Z',
          items: [0, 1, 2],
          big: true,
        });
      }
      pages.push(page);
    }
    await server.broadcast('to everybody');
    for (const page of pages) {
      assert.equal(await within(SOON, page.evaluate(() => window.heard), 'a broadcast'), 'to everybody');
    }
  });
}
