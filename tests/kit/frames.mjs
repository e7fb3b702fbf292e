import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

import { SOON, until, within } from './within.mjs';

/** WebSocket opcodes (RFC 6455, 5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** One frame as a client sends it; the fields say what a frame that breaks the rules does differently. */
export function frame(payload, { opcode = OPCODE.text, final = true, masked = true, announced } = {}) {
  const body = Buffer.from(payload);
  const length = announced ?? BigInt(body.length);
  const head = [(final ? 0x80 : 0) | opcode];
  const mask = masked ? 0x80 : 0;
  if (length < 126n) {
    head.push(mask | Number(length));
  } else if (length < 65536n) {
    head.push(mask | 126, Number(length >> 8n), Number(length & 0xffn));
  } else {
    head.push(mask | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((length >> shift) & 0xffn));
  }
  if (!masked) return Buffer.concat([Buffer.from(head), body]);
  const key = randomBytes(4);
  for (let i = 0; i < body.length; i += 1) body[i] ^= key[i % 4];
  return Buffer.concat([Buffer.from(head), key, body]);
}

/** A socket that has been upgraded to WebSocket and nothing more: bytes go out as given, frames come in as objects. */
export class FrameSocket {
  /** The frames that arrived: `{ opcode, payload }`. */
  frames = [];
  /** The codes of the close frames among them. */
  codes = [];
  #unread = Buffer.alloc(0);

  static async open(t, { port }, path, headers = {}) {
    const client = new FrameSocket(connect(port, '127.0.0.1'));
    t.after(() => client.socket.destroy());
    await within(SOON, client.#upgrade(path, port, headers), 'an upgrade to WebSocket');
    return client;
  }

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
  }

  async #upgrade(path, port, headers) {
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${more}\r\n`,
    );
    let answer = '';
    while (!answer.includes('\r\n\r\n')) answer += (await once(this.socket, 'data'))[0].toString('latin1');
    const [head, rest] = answer.split(/\r\n\r\n(.*)/s);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`the upgrade was answered ${head}`);
    this.head = head;
    this.socket.on('data', (bytes) => this.#receive(bytes));
    this.#receive(Buffer.from(rest, 'latin1'));
  }

  #receive(bytes) {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      if (this.#unread.length < 2) return;
      const short = this.#unread[1] & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#unread.length < start) return;
      const length =
        short < 126 ? short : short === 126 ? this.#unread.readUInt16BE(2) : Number(this.#unread.readBigUInt64BE(2));
      if (this.#unread.length < start + length) return;
      const opcode = this.#unread[0] & 0x0f;
      const payload = this.#unread.subarray(start, start + length);
      if (opcode === OPCODE.close && length >= 2) this.codes.push(payload.readUInt16BE(0));
      this.frames.push({ opcode, payload: payload.toString() });
      this.#unread = this.#unread.subarray(start + length);
    }
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  /** The payload of the first frame with `opcode`, past or still to come. */
  async received(opcode, matching = /^/, ms = SOON) {
    const found = () => this.frames.find((frame) => frame.opcode === opcode && matching.test(frame.payload));
    return (await until(ms, `a frame with opcode ${opcode} like ${matching}`, found)).payload;
  }

  /** Reads nothing from now on, so that the kernel's buffers fill and the server finds no room. */
  stall() {
    this.socket.pause();
  }

  /** Waits until the server has ended the connection. */
  close(ms = SOON) {
    return within(ms, this.closed, 'a socket to be closed');
  }
}
