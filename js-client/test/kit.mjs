// A server in memory: what the client opens and asks for ends here, and a test says what comes back.

import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

/** A script as it is served, and as a page loads it. */
export const served = (name) => readFileSync(new URL(`../../crates/hubwire/assets/${name}`, import.meta.url), 'utf8');

/** The client as it is shipped. */
runInThisContext(served('hubwire.min.js'));
export const { hubwire } = globalThis;

export const END = '\x1e';

export const OFFERS = {
  WebSockets: { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] },
  ServerSentEvents: { transport: 'ServerSentEvents', transferFormats: ['Text'] },
  LongPolling: { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
  ShortPolling: { transport: 'ShortPolling', transferFormats: ['Text', 'Binary'] },
};

/** What was pushed, for whoever waits for the next. */
export class Queue {
  #items = [];
  #readers = [];

  push(item) {
    const reader = this.#readers.shift();
    if (reader) reader(item);
    else this.#items.push(item);
  }

  next() {
    if (this.#items.length) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  get length() {
    return this.#items.length;
  }
}

/** The server's end of one WebSocket. */
export class Socket {
  /** What the client sent: messages, or bytes. */
  received = new Queue();
  isClosed = false;

  constructor(url, options) {
    this.url = url;
    this.headers = options?.headers;
  }

  // The client's end.

  send(data) {
    if (typeof data !== 'string') return this.received.push(data);
    for (const record of data.split(END).slice(0, -1)) this.received.push(JSON.parse(record));
  }

  close() {
    this.isClosed = true;
  }

  // The server's end.

  open() {
    this.onopen({});
  }

  say(...messages) {
    this.onmessage({ data: messages.map((message) => JSON.stringify(message) + END).join('') });
  }

  end(code = 1006, reason = '') {
    this.onclose({ code, reason, wasClean: code === 1000 });
  }

  /** The next message that is no ping. */
  async next() {
    for (;;) {
      const message = await this.received.next();
      if (message.type !== 6) return message;
    }
  }

  /** Opens, shakes hands, and gives the handshake that was asked for. */
  async accept() {
    this.open();
    const hello = await this.next();
    this.say({});
    return hello;
  }
}

/** Sockets and requests of the clients that are given its `options`. */
export class Server {
  sockets = new Queue();
  requests = [];
  /** What negotiate answers; may be changed. */
  answer = { negotiateVersion: 1, connectionId: 'public', connectionToken: 'secret', availableTransports: [OFFERS.WebSockets] };

  /** Options of `withUrl`. */
  get options() {
    const { sockets } = this;
    const server = this;
    return {
      WebSocket: class extends Socket {
        constructor(url, _protocols, options) {
          super(url, options);
          sockets.push(this);
        }
      },
      httpClient: {
        send(request) {
          server.requests.push(request);
          return Promise.resolve(server.respond(request));
        },
      },
    };
  }

  respond() {
    return { statusCode: 200, content: JSON.stringify(this.answer) };
  }

  builder(options = {}) {
    return new hubwire.HubConnectionBuilder()
      .withUrl('http://example.org/chat', { ...this.options, ...options })
      .configureLogging(hubwire.LogLevel.None);
  }

  /** A connection that is up, and its socket. */
  async connect(builder = this.builder({ skipNegotiation: true, transport: 1 })) {
    const connection = builder.build();
    const started = connection.start();
    const socket = await this.sockets.next();
    const hello = await socket.accept();
    await started;
    return { connection, socket, hello };
  }
}

/** Lets everything run that waits for its turn and for no event. */
export async function settle() {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
