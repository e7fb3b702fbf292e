import { once } from 'node:events';

import WebSocket from 'ws';

import { Queue } from './queue.mjs';
import { END } from './raw.mjs';
import { SOON, within } from './within.mjs';

/** Bytes, written as a mixture of hexadecimal digits and texts in quotes that stand for themselves: `92 a2 'hi' c0`. */
export function packed(notation) {
  const parts = notation.match(/'[^']*'|[^']+/g) ?? [];
  const bytes = (part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1)) : Buffer.from(part.replace(/ /g, ''), 'hex'));
  return Buffer.concat(parts.map(bytes));
}

/** A message of up to 127 bytes with its length before it. */
export const framed = (notation) => Buffer.concat([Buffer.of(packed(notation).length), packed(notation)]);

/** A WebSocket that speaks MessagePack by hand: sends any bytes, gives the messages that come back. */
export class PackedClient {
  /** All that arrived, without lengths and pings. */
  messages = new Queue('the messages of a packed client');

  /** Opens the socket and shakes hands. */
  static async connect(t, url) {
    const client = new PackedClient(new WebSocket(url.replace(/^http/, 'ws')));
    t.after(() => client.socket.terminate());
    await within(SOON, once(client.socket, 'open'), 'a WebSocket to open');
    const answer = once(client.socket, 'message');
    client.send(`{"protocol":"messagepack","version":1}${END}`);
    const [bytes, isBinary] = await within(SOON, answer, 'the answer to the handshake');
    if (`${bytes}` !== `{}${END}` || !isBinary) throw new Error(`the handshake was answered ${bytes}`);
    client.socket.on('message', (message) => client.#message(message));
    return client;
  }

  constructor(socket) {
    this.socket = socket;
    /** Settles with the code that the socket was closed with. */
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    this.closed.then((code) => this.messages.end(`the socket was closed with ${code}`));
    // See RawClient.
    socket.on('error', () => {});
  }

  /** The server sends one message per frame, and to these tests only short ones. */
  #message(bytes) {
    if (bytes[0] !== bytes.length - 1) throw new Error(`no message: ${bytes.toString('hex')}`);
    if (!bytes.equals(packed('02 91 06'))) this.messages.push(bytes.subarray(1));
  }

  send(bytes) {
    this.socket.send(bytes);
  }

  /** Asks the server how it calls this connection; nothing else may be unread. */
  async connectionId() {
    this.send(framed("95 01 80 a1 'i' ac 'ConnectionId' 90"));
    return (await this.messages.next()).subarray(-22).toString();
  }

  /** Waits until the socket is closed; gives the code. */
  close(ms = SOON) {
    return within(ms, this.closed, 'a WebSocket to be closed');
  }
}
