import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import { reset } from './reset.mjs';
import { SOON, until } from './within.mjs';

/**
 * A TCP relay before a server: it can cut every connection, and it sees what the server sends.
 * It works on bytes, so that a scenario stays the same whatever transport is under it.
 */
export class Proxy {
  #server;
  #sockets = new Set();
  #down = [];
  #isCut = false;

  static async start(t, port) {
    const proxy = new Proxy();
    proxy.#server = createServer((client) => {
      if (proxy.#isCut) reset(client);
      else proxy.#relay(client, connect(port, '127.0.0.1'));
    });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    t.after(() => {
      proxy.#server.close();
      proxy.cut();
    });
    return proxy;
  }

  #relay(client, server) {
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    server.on('data', (bytes) => this.#down.push(bytes));
  }

  /**
   * Ends every connection the rude way: no close frame, no farewell. Until `mend` new ones end the same way, so that
   * a client is sure to notice that was between two requests.
   */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) reset(socket);
  }

  /** Lets new connections through again. */
  mend() {
    this.#isCut = false;
  }

  /** How often the server sent `bytes` so far. */
  sent(bytes) {
    return Buffer.concat(this.#down).toString('latin1').split(bytes).length - 1;
  }

  /** Waits until the server sent `bytes` `times` more often than it had so far. */
  async sends(bytes, times, ms = SOON) {
    const goal = this.sent(bytes) + times;
    await until(ms, `${JSON.stringify(bytes)} from the server, ${times} times`, () => this.sent(bytes) >= goal);
  }
}
