// A relay that understands HTTP, and does to it what bad networks and bad proxies do.

import { once } from 'node:events';
import { ServerResponse, createServer, request as send } from 'node:http';

import { reset } from './reset.mjs';

/** Headers that are about one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

// What can become of an exchange. Each takes an `Exchange` and does with it what its name says.

/** Nothing bad. */
export const pass = (exchange) => exchange.relay();

/** The proxy answers by itself, and the server never hears of it. */
export const refuse = (status) => (exchange) => exchange.answer(status);

/** Neither an answer nor an end, until the proxy is told to cut. */
export const hang = () => {};

/** The link to the client breaks before the request reaches the server. */
export const loseRequest = (exchange) => exchange.cut();

/** The server gets the whole request, and nobody takes its answer. */
export const loseAnswer = async (exchange) => {
  await exchange.ask();
  exchange.cut();
};

/** The answer breaks off behind its headers and `bytes` of its body. */
export const cutAnswer = (bytes) => async (exchange) => {
  const answer = await exchange.begin();
  let left = bytes;
  if (left > 0) {
    for await (const chunk of answer) {
      exchange.response.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
  }
  exchange.breakOff();
};

/** Everything arrives, `ms` later. */
export const delay = (ms, fault = pass) => async (exchange) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await fault(exchange);
};

/** The headers arrive and the body is kept until it ends, as a proxy does that buffers answers. */
export const holdBack = async (exchange) => {
  const body = [];
  const answer = await exchange.begin();
  answer.on('data', (chunk) => body.push(chunk));
  answer.on('end', () => exchange.response.end(Buffer.concat(body)));
};

/** The upgrade succeeds, and then nothing passes in either direction. */
export const silence = async (exchange) => {
  await exchange.relay();
  exchange.proxy.freeze();
};

/** An upgrade that succeeds and behind which nothing passes, while the rest of the network is well. */
export const deadUpgrade = async (exchange) => {
  const [answer] = await exchange.ask();
  const socket = exchange.request.socket;
  exchange.response.detachSocket(socket);
  const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
};

/** A rule: every `n`th exchange, of these kinds where they are given, meets with `fault`. */
export function everyNth(n, fault, kinds) {
  let count = 0;
  return ({ kind }) => {
    if (kinds && !kinds.includes(kind)) return pass;
    count += 1;
    return count % n === 0 ? fault : pass;
  };
}

/** A rule: every exchange of one of these kinds meets with its fault. */
export const each = (faults) => ({ kind }) => faults[kind] ?? pass;

/**
 * An HTTP proxy before a server on loopback.
 * Its `rule`, which may be changed at any time, is asked for each exchange what becomes of it.
 */
export class FaultProxy {
  #server = createServer();
  #sockets = new Set();
  /** Streams that are piped into one another, as pairs. */
  #links = new Set();
  /** The kinds of all exchanges so far, in order. */
  seen = [];
  /** How many pieces of bodies and of what follows an upgrade clients have sent. */
  chunks = 0;
  /** Whether it relays nothing any more. */
  isFrozen = false;

  static async start(t, port, rule = () => pass) {
    const proxy = new FaultProxy();
    Object.assign(proxy, { target: port, rule });
    const server = proxy.#server;
    server.on('connection', (socket) => proxy.hold(socket));
    server.on('request', (request, response) => proxy.#exchange(request, response));
    server.on('upgrade', (request, socket) => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      proxy.#exchange(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    t.after(() => {
      server.close();
      proxy.cut();
    });
    return proxy;
  }

  async #exchange(request, response) {
    if (this.isFrozen) return;
    const exchange = new Exchange(this, request, response);
    this.seen.push(exchange.kind);
    try {
      await this.rule(exchange)(exchange);
    } catch {
      // Whichever side went away, the other learns of it.
      exchange.cut();
    }
  }

  /** Keeps a socket in mind, so that it ends with the proxy. */
  hold(socket) {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
  }

  /** Passes on what comes `from` one side, and its end. */
  join(from, to) {
    const link = { from, to };
    this.#links.add(link);
    from.pipe(to);
    from.on('error', () => {});
    from.on('close', () => {
      this.#links.delete(link);
      if (!this.isFrozen && !from.readableEnded) to.destroy();
    });
  }

  /** Relays nothing from now on, and tells nobody: what either side sends is swallowed, and its end is kept from the other. */
  freeze() {
    this.isFrozen = true;
    for (const { from, to } of this.#links) {
      from.unpipe(to);
      from.resume();
    }
  }

  /** Ends every connection the rude way. New ones meet with the rule again. */
  cut() {
    this.isFrozen = false;
    for (const socket of this.#sockets) reset(socket);
  }
}

/** One request and what becomes of its answer. */
class Exchange {
  /** The request to the server, and after an upgrade its socket. */
  #upstream = null;

  constructor(proxy, request, response) {
    Object.assign(this, { proxy, request, response });
  }

  /** What it is for, in SignalR's words: `upgrade`, `negotiate`, `stream`, `poll`, `send` or `delete`. */
  get kind() {
    const { method, headers, url } = this.request;
    if (headers.upgrade) return 'upgrade';
    if (/\/negotiate(\?|$)/.test(url)) return 'negotiate';
    if (method === 'GET') return headers.accept?.includes('text/event-stream') ? 'stream' : 'poll';
    return method === 'DELETE' ? 'delete' : 'send';
  }

  /** Answers in the server's place. */
  answer(status) {
    this.request.resume();
    this.response.writeHead(status, { 'content-length': 0, connection: 'close' }).end();
    this.response.on('finish', () => this.request.socket.destroySoon());
  }

  /** Hands the request on; gives the server's answer, with nothing of its body read, and the socket where it is an upgrade. */
  async ask() {
    const { method, url: path, headers } = this.request;
    const isUpgrade = this.kind === 'upgrade';
    const own = isUpgrade ? headers : endToEnd(headers);
    this.#upstream = send({ host: '127.0.0.1', port: this.proxy.target, method, path, headers: own, agent: false });
    this.#upstream.on('socket', (socket) => this.proxy.hold(socket));
    this.#upstream.on('error', () => {});
    // A client that leaves while it waits leaves the server, too.
    this.response.on('close', () => {
      if (!this.response.writableFinished && !this.proxy.isFrozen) this.#upstream.destroy();
    });
    this.request.on('data', () => (this.proxy.chunks += 1));
    this.proxy.join(this.request, this.#upstream);
    const answered = [once(this.#upstream, 'response')];
    if (isUpgrade) answered.push(once(this.#upstream, 'upgrade'));
    const [answer, socket, head] = await Promise.race(answered);
    this.#upstream = socket ?? this.#upstream;
    if (!this.proxy.isFrozen) return [answer, socket, head];
    answer.resume();
    return new Promise(() => {});
  }

  /** Hands the request on, and the headers of the answer back; gives the answer. */
  async begin() {
    const [answer] = await this.ask();
    this.response.writeHead(answer.statusCode, endToEnd(answer.headers));
    this.response.flushHeaders();
    return answer;
  }

  /** Hands everything on, both ways. */
  async relay() {
    const [answer, socket, head] = await this.ask();
    if (!socket) {
      this.response.writeHead(answer.statusCode, endToEnd(answer.headers));
      this.response.flushHeaders();
      return this.proxy.join(answer, this.response);
    }
    const client = this.request.socket;
    this.response.detachSocket(client);
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
    client.write(head);
    client.on('data', () => (this.proxy.chunks += 1));
    this.proxy.join(client, socket);
    this.proxy.join(socket, client);
  }

  /** Ends both sides the rude way. */
  cut() {
    reset(this.request.socket);
    this.#upstream?.destroy();
  }

  /** Ends both sides after what was written to the client. */
  breakOff() {
    this.request.socket.destroySoon();
    this.#upstream.destroy();
  }
}

function endToEnd(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
