// Our client where there is no page: in a web worker, and in a service worker, which has fetch and no XMLHttpRequest.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, skip } from './kit/browser.mjs';
import { ServerProcess } from './kit/process.mjs';
import { SOON, within } from './kit/within.mjs';

let server;
let browser;

before(async () => {
  server = await ServerProcess.start('ticker');
  if (!skip) browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What runs in there: over `transport` it calls, reads three items of a stream, and stops. */
async function visit(transport) {
  const connection = new globalThis.hubwire.HubConnectionBuilder().withUrl('/ticker', { transport }).configureLogging('none').build();
  await connection.start();
  const used = connection.transport;
  const companies = await connection.invoke('Companies');
  const items = await new Promise((resolve, reject) => {
    const seen = [];
    const subscription = connection.stream('Watch', 0).subscribe({
      next: (item) => {
        if (seen.push(item) < 3) return;
        subscription.dispose();
        resolve(seen);
      },
      error: reject,
      complete: reject,
    });
  });
  await connection.stop();
  return { used, companies: companies.length, items: items.length, page: typeof document, xhr: typeof XMLHttpRequest };
}

const TRANSPORTS = [[undefined, 'WebSockets'], [2, 'ServerSentEvents'], [4, 'LongPolling']];

for (const [transport, used] of TRANSPORTS) {
  test(`a web worker: ${used}`, { skip, timeout: 60_000 }, async (t) => {
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(server.url);
    const [worker] = await Promise.all([
      page.waitForEvent('worker'),
      // The client is all that the worker needs; what it does is brought in from outside.
      page.evaluate(() => void (window.worker = new Worker('/hubwire.js'))),
    ]);
    const seen = await within(SOON, worker.evaluate(visit, transport), 'what the worker saw');
    assert.deepEqual(seen, { used, companies: 6, items: 3, page: 'undefined', xhr: 'function' });
  });
}

// Chromium's service workers have no EventSource.
for (const [transport, used] of TRANSPORTS.filter(([, used]) => used !== 'ServerSentEvents')) {
  test(`a service worker: ${used}`, { skip, timeout: 60_000 }, async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(server.url);
    const [worker] = await Promise.all([
      context.waitForEvent('serviceworker'),
      page.evaluate(() => navigator.serviceWorker.register('/hubwire.js')),
    ]);
    const seen = await within(SOON, worker.evaluate(visit, transport), 'what the worker saw');
    assert.deepEqual(seen, { used, companies: 6, items: 3, page: 'undefined', xhr: 'undefined' });
  });
}
