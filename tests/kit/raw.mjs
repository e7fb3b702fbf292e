import { once } from 'node:events';

import WebSocket from 'ws';

import { Queue } from './queue.mjs';
import { SOON, within } from './within.mjs';

/** Ends every hub message. */
export const END = '\x1e';

/** What a client of the JSON protocol says first. */
export const HANDSHAKE = `{"protocol":"json","version":1}${END}`;

/** The Close that a connection is given which broke a rule; it may come back. */
export const BROKEN = { type: 7, error: 'Connection closed with an error.', allowReconnect: true };

/** An invocation as text. */
export function invocation(target, args, invocationId) {
  return JSON.stringify({ type: 1, invocationId, target, arguments: args }) + END;
}

/** A WebSocket that speaks the hub protocol by hand: sends any text, gives the messages that come back as objects. */
export class RawClient {
  /** All that arrived, one object per message, pings left out. */
  messages = new Queue('the messages of a raw client');
  /** How many pings arrived. */
  pings = 0;

  /** Opens the socket and no more. */
  static async open(t, url) {
    const client = new RawClient(new WebSocket(url.replace(/^http/, 'ws')));
    t.after(() => client.socket.terminate());
    await within(SOON, once(client.socket, 'open'), 'a WebSocket to open');
    return client;
  }

  /** Opens the socket and shakes hands. */
  static async connect(t, url) {
    const client = await RawClient.open(t, url);
    client.send(HANDSHAKE);
    const answer = await client.messages.next();
    if (JSON.stringify(answer) !== '{}') throw new Error(`the handshake was answered ${JSON.stringify(answer)}`);
    return client;
  }

  constructor(socket) {
    this.socket = socket;
    /** Settles with the code that the socket was closed with. */
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    this.closed.then((code) => this.messages.end(`the socket was closed with ${code}`));
    // A server that cuts a bad client may well reset it; the close that follows is what tests look at.
    socket.on('error', () => {});
    socket.on('message', (bytes) => {
      for (const text of bytes.toString().split(END).slice(0, -1)) this.#message(JSON.parse(text));
    });
  }

  #message(message) {
    if (message.type === 6) this.pings += 1;
    else this.messages.push(message);
  }

  send(text) {
    this.socket.send(text);
  }

  /** Asks the server how it calls this connection; nothing else may be unread. */
  async connectionId() {
    this.send(invocation('ConnectionId', [], 'who am I'));
    return (await this.messages.next()).result;
  }

  /** Waits until the socket is closed; gives the code. */
  close(ms = SOON) {
    return within(ms, this.closed, 'a WebSocket to be closed');
  }
}
