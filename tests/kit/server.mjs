import { ServerProcess } from './process.mjs';
import { SOON, until } from './within.mjs';

/** The test server of this package, with the plain HTTP routes it offers beside its hubs. */
export class TestServer extends ServerProcess {
  static start(env) {
    return super.start('test-server', env);
  }

  /** Live connections of a hub: `hub`, `detailed`, `fast` or `big`. */
  async count(hub = 'hub') {
    return Number(await this.fetch(`/count/${hub}`));
  }

  /** Waits until a hub has `count` live connections. */
  counted(count, hub = 'hub', ms = SOON) {
    return until(ms, `${count} connections on ${hub}`, async () => (await this.count(hub)) === count);
  }

  /** What the hub's callbacks saw of a connection, kept after its end. */
  async story(connectionId) {
    return JSON.parse(await this.fetch(`/log/${encodeURIComponent(connectionId)}`));
  }

  /** The numbers that a client of `big` has had appended. */
  async appended(connectionId) {
    return JSON.parse(await this.fetch(`/appended/${encodeURIComponent(connectionId)}`));
  }

  /** The reason that the disconnect callback was given; waits for it. */
  async farewell(connectionId, ms = SOON) {
    const story = await until(ms, `the disconnect callback of ${connectionId}`, async () => {
      const story = await this.story(connectionId);
      return story.length > 1 && story;
    });
    if (story.length !== 2 || story[0] !== 'connected') throw new Error(`callbacks ran as ${JSON.stringify(story)}`);
    return story[1].replace(/^disconnected: /, '');
  }

  /** The transport and the reason that the log line about the end of a connection names; waits for it. */
  async ending(connectionId, ms = SOON) {
    const line = await this.logged(new RegExp(`connection closed.* id=${connectionId} `), ms);
    const [, transport, reason] = line.match(/ transport="(\w+)" .* reason=(.*)$/);
    return { transport, reason };
  }

  /** Sends `Notify(text)` to all of /hub from outside any hub method. */
  broadcast(text) {
    return this.fetch(`/broadcast?msg=${encodeURIComponent(text)}`, { method: 'POST' });
  }

  /** The same from a thread that no async runtime knows. */
  broadcastFromThread(text) {
    return this.fetch(`/broadcast-thread?msg=${encodeURIComponent(text)}`, { method: 'POST' });
  }
}
