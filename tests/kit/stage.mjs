import { test } from 'node:test';

import { matrix } from './clients.mjs';
import { Proxy } from './proxy.mjs';
import { Queue } from './queue.mjs';
import { SOON, within } from './within.mjs';

/** No scenario needs longer; one that hangs is named by the runner instead of hanging it. */
const LONGEST = 60_000;

/** Declares scenarios: each is written once and runs over every combination of client, transport and protocol that can carry it. */
export function scenariosOn(server) {
  return (name, body, { carriedBy = () => true } = {}) => {
    for (const combination of matrix.filter(carriedBy)) {
      test(`${name} (${combination.name})`, { timeout: LONGEST }, (t) => body(new Stage(t, combination, server)));
    }
  };
}

/** What a scenario plays on: one server and as many clients of one combination as it asks for, all gone at its end. */
export class Stage {
  constructor(t, combination, server) {
    this.t = t;
    this.combination = combination;
    this.server = server;
  }

  /** A client of `path` that is not started yet. `tune` sees the builder before the connection is built. */
  build(path = '/hub', { at = this.server.url, headers, tune = (builder) => builder } = {}) {
    const client = new Client(tune(this.combination.builder(at + path, headers)).build());
    this.t.after(() => client.stop());
    return client;
  }

  /** A client of `path` that is connected. */
  async connect(path, options) {
    const client = this.build(path, options);
    await client.start();
    return client;
  }

  /** `count` connected clients. */
  connectAll(count, path, options) {
    return Promise.all(Array.from({ length: count }, () => this.connect(path, options)));
  }

  /** A relay before the server; give its `url` as `at`. */
  proxy() {
    return Proxy.start(this.t, this.server.port);
  }
}

/** One connection of a client library, with what it heard kept in queues and every wait bounded. */
export class Client {
  #heard = new Map();

  constructor(connection) {
    this.connection = connection;
    /** Settles with the error, or undefined, that the connection's `onclose` was called with. */
    this.closed = new Promise((resolve) => connection.onclose(resolve));
    this.heard('Notify');
  }

  /** Connects and learns the id that the server knows it by, which clients that skip negotiation are not told. */
  async start() {
    await within(SOON, this.connection.start(), 'the start of a connection');
    this.id = await this.invoke('ConnectionId');
  }

  stop() {
    return within(SOON, this.connection.stop(), 'the stop of a connection');
  }

  invoke(method, ...args) {
    return within(SOON, this.connection.invoke(method, ...args), `the answer to ${method}`);
  }

  /** The text of the error that calling `method` ends with. */
  async refusal(method, ...args) {
    const answer = await this.invoke(method, ...args).then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    if (!answer.error) throw new Error(`${method} succeeded with ${JSON.stringify(answer.value)}`);
    return answer.error.message;
  }

  /** Subscribes to the stream of `method`: what came so far, its end, and what stops it. */
  stream(method, ...args) {
    const items = new Queue(`${method}'s stream`);
    let subscription;
    const end = new Promise((resolve) => {
      subscription = this.connection.stream(method, ...args).subscribe({
        next: (item) => items.push(item),
        error: (error) => resolve(error.message),
        complete: () => resolve('complete'),
      });
    });
    return { items, end: (ms = SOON) => within(ms, end, `the end of ${method}'s stream`), stop: () => subscription.dispose() };
  }

  /** What arrives as `event`: its first argument, or all of them when there is another number than one. */
  heard(event) {
    if (!this.#heard.has(event)) {
      const queue = new Queue(event);
      this.#heard.set(event, queue);
      this.connection.on(event, (...args) => queue.push(args.length === 1 ? args[0] : args));
    }
    return this.#heard.get(event);
  }

  /** Waits for `onclose` and gives its error. */
  close(ms = SOON) {
    return within(ms, this.closed, 'the close of a connection');
  }
}
