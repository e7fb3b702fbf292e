import assert from 'node:assert/strict';

import { END, HANDSHAKE } from './raw.mjs';
import { SOON, within } from './within.mjs';

/** A connection that is polled by hand. */
export class Poller {
  /** Negotiates and has the first poll answered. `at` is where the server is reached, if not directly. */
  static async open(server, { at = server.url, path = '/hub', query = '' } = {}) {
    const poller = new Poller();
    const answer = JSON.parse(await server.fetch(`${path}/negotiate?negotiateVersion=1${query}`, { method: 'POST' }));
    Object.assign(poller, { id: answer.connectionId, path: `${path}?id=${answer.connectionToken}${query}` });
    poller.url = at + poller.path;
    assert.deepEqual(await poller.poll(), [200, '']);
    return poller;
  }

  async request(init) {
    const response = await within(SOON, fetch(this.url, init), 'the answer to a request');
    return [response.status, await response.text()];
  }

  poll() {
    return this.request();
  }

  post(body) {
    return this.request({ method: 'POST', body });
  }

  delete() {
    return this.request({ method: 'DELETE' });
  }

  async shake() {
    assert.deepEqual(await this.post(HANDSHAKE), [200, '']);
    assert.deepEqual(await this.poll(), [200, `{}${END}`]);
    return this;
  }
}
