import WebSocket from 'ws';

import { END, invocation } from './raw.mjs';
import { within, SOON } from './within.mjs';

const HANDSHAKE = `{"protocol":"json","version":2}${END}`;
const COUNTED = new Set([1, 2, 3, 4, 5]);

/** Negotiates a connection that may outlive its sockets; gives what the server says. */
export async function negotiate(url, query = 'useStatefulReconnect=true') {
  const response = await fetch(`${url}/negotiate?negotiateVersion=1&${query}`, { method: 'POST' });
  return response.json();
}

/** Where the connection with this token is opened, and opened again. */
export function address(url, token) {
  return `${url.replace(/^http/, 'ws')}?id=${token}`;
}

/** Tries to open a socket; gives it, or the status of the refusal. */
export async function knock(t, where) {
  const socket = new WebSocket(where);
  t.after(() => socket.terminate());
  // A refusal is an error too, and so is a link that is cut.
  socket.on('error', () => {});
  const answer = new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('close', () => reject(new Error('the socket was closed before it opened')));
  });
  return within(SOON, answer, 'a WebSocket to open');
}

/**
 * A client of stateful reconnect by the letter of the protocol, over one socket after another.
 * It counts what it sends and receives, keeps what is not acknowledged, and acknowledges now and then.
 */
export class StatefulClient {
  #socket;
  #unacked = [];
  #acked = 0;
  #next = 1;
  #latest = 0;
  #told = 0;
  #isListening = true;
  #shake;
  #shaken = new Promise((resolve) => { this.#shake = resolve; });
  /** Called with every message that counts and is new. */
  onmessage = () => {};
  /** Why the server closed the connection, if it did. */
  closed = null;

  static async connect(t, url) {
    const client = new StatefulClient();
    const { connectionId, connectionToken } = await negotiate(url);
    client.connectionId = connectionId;
    client.address = address(url, connectionToken);
    client.t = t;
    await client.#open();
    client.#socket.send(HANDSHAKE);
    await within(SOON, client.#shaken, 'the answer to the handshake');
    return client;
  }

  async #open() {
    const socket = new WebSocket(this.address);
    this.t.after(() => socket.terminate());
    socket.on('error', () => {});
    socket.on('message', (bytes) => {
      // What a socket still delivers that was given up is lost with it.
      if (socket !== this.#socket) return;
      for (const text of bytes.toString().split(END).slice(0, -1)) this.#receive(JSON.parse(text));
    });
    const opened = new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('unexpected-response', (_, response) => reject(new Error(`refused: ${response.statusCode}`)));
    });
    // Messages may come in the same turn as the opening.
    this.#socket = socket;
    await within(SOON, opened, 'a WebSocket to open');
  }

  /** Sends a call that wants no answer. */
  send(target, ...args) {
    const text = invocation(target, args);
    this.#unacked.push(text);
    this.#socket.send(text);
  }

  /** Cuts the link, with whatever is on it, and comes back with another. */
  async reconnect() {
    this.#socket.terminate();
    await this.takeOver();
  }

  /** Comes back with another socket, while the old one still lives. */
  async takeOver() {
    this.#isListening = false;
    await this.#open();
    this.#socket.send(JSON.stringify({ type: 9, sequenceId: this.#acked + 1 }) + END);
    for (const text of this.#unacked) this.#socket.send(text);
  }

  #receive(message) {
    if (message.type === undefined) return this.#shake();
    if (message.type === 9) {
      // As strict as the official clients: not even what was received from an earlier socket may be left out.
      if (message.sequenceId > this.#next) throw new Error(`a gap: counted to ${this.#next - 1}, then ${message.sequenceId}`);
      this.#next = message.sequenceId;
      this.#isListening = true;
    }
    if (!this.#isListening) return;
    if (message.type === 7) this.closed = message;
    if (message.type === 8) {
      this.#unacked.splice(0, message.sequenceId - this.#acked);
      this.#acked = Math.max(this.#acked, message.sequenceId);
    }
    if (!COUNTED.has(message.type)) return;
    const number = this.#next;
    this.#next += 1;
    if (number <= this.#latest) return;
    this.#latest = number;
    if (number >= this.#told + 50) this.acknowledge();
    this.onmessage(message);
  }

  /** Tells the server what has come. */
  acknowledge() {
    this.#told = this.#latest;
    this.#socket.send(JSON.stringify({ type: 8, sequenceId: this.#latest }) + END);
  }
}
