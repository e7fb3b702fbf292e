// Numbered POSTs and acknowledged polls through a network that cuts every tenth exchange: everything arrives once, in order, both ways.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import * as signalr from '@microsoft/signalr';

import { FaultProxy, cutAnswer, loseAnswer, loseRequest, pass } from './kit/faults.mjs';
import { PollingTransport } from './kit/polling.mjs';
import { TestServer } from './kit/server.mjs';
import { until, within } from './kit/within.mjs';

const MESSAGES = 1_000;
const LONG = 60_000;

const server = await TestServer.start();
after(() => server.stop());

/** Every tenth poll and POST meets with another way to be lost. */
function bad() {
  const faults = [loseRequest, loseAnswer, cutAnswer(3), cutAnswer(0)];
  const hit = Object.fromEntries(faults.map((fault) => [fault.name || 'cutAnswer', 0]));
  let count = 0;
  const rule = ({ kind }) => {
    if (kind !== 'poll' && kind !== 'send') return pass;
    count += 1;
    if (count % 10 !== 0) return pass;
    const fault = faults[(count / 10) % faults.length];
    hit[fault.name || 'cutAnswer'] += 1;
    return fault;
  };
  return { rule, hit };
}

for (const short of [false, true]) {
  const name = short ? 'short' : 'long';
  test(`${MESSAGES} messages each way over ${name} polling`, { timeout: 120_000 }, async (t) => {
    const { rule, hit } = bad();
    const proxy = await FaultProxy.start(t, server.port, rule);
    const transport = new PollingTransport({ short, acks: true });
    const connection = new signalr.HubConnectionBuilder()
      .withUrl(`${proxy.url}/hub?useAcks=true`, { transport })
      .configureLogging(signalr.LogLevel.None)
      .build();
    t.after(() => connection.stop());
    const heard = [];
    connection.on('Notify', (text) => heard.push(Number(text)));
    await within(LONG, connection.start(), 'the start');

    const numbers = Array.from({ length: MESSAGES }, (_, i) => i);
    // One after another, or the client sends them all in one POST.
    for (const i of numbers) await within(LONG, connection.send('Append', i), 'a POST');
    assert.deepEqual(await within(LONG, connection.invoke('Appended'), 'what arrived'), numbers);

    for (const i of numbers) await within(LONG, connection.send('SendCaller', String(i)), 'a POST');
    await until(LONG, 'all messages', () => heard.length >= MESSAGES);
    // Whatever came twice would be before the answer to a last call.
    await within(LONG, connection.invoke('Nothing'), 'a last call');
    assert.deepEqual(heard, numbers);

    t.diagnostic(`${transport.retried} requests were made again: ${JSON.stringify(hit)}`);
    assert.ok(Object.values(hit).every((times) => times > 10), 'the network was not bad enough');
    assert.ok(transport.retried > 100);
  });
}

test('without acknowledgements the same network loses something', { timeout: 120_000 }, async (t) => {
  const { rule } = bad();
  const proxy = await FaultProxy.start(t, server.port, rule);
  const connection = new signalr.HubConnectionBuilder()
    .withUrl(`${proxy.url}/hub`, { transport: signalr.HttpTransportType.LongPolling })
    .configureLogging(signalr.LogLevel.None)
    .build();
  const closed = new Promise((resolve) => connection.onclose(resolve));
  await within(LONG, connection.start(), 'the start');
  let lost = false;
  for (let i = 0; i < 50 && !lost; i += 1) {
    lost = await within(LONG, connection.send('Append', i).then(() => false, () => true), 'the fate of a POST');
  }
  assert.ok(lost);
  await connection.stop();
  await within(LONG, closed, 'the end');
});
