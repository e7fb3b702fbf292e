// The scaleout example: clients behind nginx on three servers, one of which is killed while they chat.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';

import { skip as withoutNginx } from './kit/nginx.mjs';
import { ServerProcess } from './kit/process.mjs';
import { Queue } from './kit/queue.mjs';
import { skip as withoutRedis } from './kit/redis.mjs';
import { until } from './kit/within.mjs';

const skip = withoutNginx || withoutRedis;
const site = skip || (await ServerProcess.start('scaleout'));
after(() => site.stop?.());

/** Someone in the lobby, who goes there again after each reconnect. */
class Guest {
  heard = new Queue('what is said');

  static async enter(t, transport) {
    const guest = new Guest();
    guest.connection = new HubConnectionBuilder()
      .withUrl(`${site.url}/chat`, { transport })
      .withAutomaticReconnect(Array(50).fill(200))
      .configureLogging(LogLevel.None)
      .build();
    t.after(() => guest.connection.stop());
    guest.connection.on('Said', ({ from, text }) => guest.heard.push(`${from}: ${text}`));
    guest.connection.onreconnecting(() => (guest.server = undefined));
    guest.connection.onreconnected(() => guest.#enter());
    await guest.connection.start();
    await guest.#enter();
    return guest;
  }

  async #enter() {
    this.server = await this.connection.invoke('Enter', 'lobby');
  }
}

test('a chat outlives one of its servers', { skip, timeout: 120_000 }, async (t) => {
  const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;
  const guests = [];
  // So many that none of the servers has nobody, however nginx spreads them.
  for (let round = 0; round < 30; round += 1) guests.push(await Guest.enter(t, [WebSockets, ServerSentEvents, LongPolling][round % 3]));
  const servers = new Set(guests.map(({ server }) => server));
  assert.equal(servers.size, 3, 'each server has someone');
  await guests[0].connection.invoke('Say', 'lobby', 'ada', 'hello');
  for (const guest of guests) assert.equal(await guest.heard.next(), 'ada: hello');

  const [first] = guests;
  const pid = site.lines.map((line) => line.match(new RegExp(`^${first.server} runs as process (\\d+)$`))?.[1]).find(Boolean);
  const victim = first.server;
  process.kill(Number(pid), 'SIGKILL');
  await until(60_000, 'everybody to be somewhere else', async () => guests.every(({ server }) => server && server !== victim));
  assert.equal(await first.connection.invoke('Count', 'lobby'), guests.length);
  await first.connection.invoke('Say', 'lobby', 'ada', 'still here');
  for (const guest of guests) assert.equal(await guest.heard.next(), 'ada: still here');
});
