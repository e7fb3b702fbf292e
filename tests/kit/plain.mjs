// Raw connections by hand, over every transport, with one face: what is sent, what arrives, and how it ends.

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';

import WebSocket from 'ws';

import { Queue } from './queue.mjs';
import { SOON, within } from './within.mjs';

/** How each transport is opened: a function of the test, of the URL with its token, and of the connection's public id. */
const carriers = { WebSockets: webSocket, ServerSentEvents: eventStream, LongPolling: polls, ShortPolling: polls };

/** How long a poll that brought nothing is followed by none: short ones would fill the machine. */
const PAUSE = 10;

/** The transports, by the names that negotiation offers. */
export const TRANSPORTS = Object.keys(carriers);

/** Negotiates a raw connection, and nothing more: its `url` and its public `id`. */
export async function negotiate(server, transport, path = '/echo') {
  const { connectionId, connectionToken } = JSON.parse(
    await server.fetch(`${path}/negotiate?negotiateVersion=1`, { method: 'POST' }),
  );
  const short = transport === 'ShortPolling' ? '&transport=shortPolling' : '';
  return { id: connectionId, url: `${server.url}${path}?id=${connectionToken}${short}` };
}

/**
 * A raw connection: `send` gives a string as text and a Buffer as bytes, `messages` holds what came, in the same two types.
 * `ended` settles with how it ended, and `id` is what the server calls it.
 */
export async function connect(t, server, transport, path) {
  const { id, url } = await negotiate(server, transport, path);
  return { id, url, ...(await carriers[transport](t, url)) };
}

/** A raw WebSocket without negotiation, or with a token in its URL. */
export async function webSocket(t, url) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'));
  t.after(() => socket.terminate());
  const messages = new Queue('the messages of a WebSocket');
  socket.on('message', (data, isBinary) => messages.push(isBinary ? data : data.toString()));
  const ended = new Promise((resolve) => socket.on('close', resolve));
  ended.then((code) => messages.end(`closed with ${code}`));
  await within(SOON, once(socket, 'open'), 'a WebSocket to open');
  // A server that cuts a bad client may well reset it; the close that follows is what tests look at.
  socket.on('error', () => {});
  return { messages, ended, socket, send: async (data) => socket.send(data), close: () => socket.close() };
}

async function eventStream(t, url) {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
  if (response.status !== 200) throw new Error(`the stream was answered ${response.status}`);
  const messages = new Queue('the events of a stream');
  const ended = readEvents(response.body, messages).then(() => 'ended', () => 'lost');
  ended.then((how) => messages.end(how));
  return { messages, ended, send: (data) => post(url, data), close: () => abort.abort() };
}

/** Reads an event stream by the letter of the HTML standard: a line ends with CR LF, LF or CR. */
async function readEvents(body, messages) {
  const decoder = new TextDecoder();
  let rest = '';
  let data = [];
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    rest += text;
    // A long line is looked at once it ends, not with every piece of it.
    if (!/[\r\n]/.test(text)) continue;
    // A CR at the very end may be half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      const value = line.match(/^data: ?(.*)$/s);
      if (value) data.push(value[1]);
      if (line !== '' || data.length === 0) continue;
      messages.push(data.join('\n'));
      data = [];
    }
  }
}

async function polls(t, url) {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const messages = new Queue('the answers to polls');
  if ((await poll(url, abort.signal)) !== '') throw new Error('the first poll was answered with something');
  const all = async () => {
    for (;;) {
      const message = await poll(url, abort.signal);
      if (message === null) return 'told';
      if (message.length > 0) messages.push(message);
      else await setTimeout(PAUSE);
    }
  };
  const ended = all().catch((error) => error.message);
  ended.then((how) => messages.end(how));
  return { messages, ended, send: (data) => post(url, data), close: () => fetch(url, { method: 'DELETE' }) };
}

/** What one poll is answered with: text, bytes, or null at the end. */
export async function poll(url, signal = AbortSignal.timeout(SOON)) {
  const response = await fetch(url, { signal });
  if (response.status === 204) return null;
  if (response.status !== 200) throw new Error(`a poll was answered ${response.status}`);
  const body = Buffer.from(await response.arrayBuffer());
  return response.headers.get('content-type') === 'application/octet-stream' ? body : body.toString();
}

/** Sends a string as text or a Buffer as bytes; gives the status. */
export async function post(url, body, type = typeof body === 'string' ? 'text/plain' : 'application/octet-stream') {
  const response = await within(SOON, fetch(url, { method: 'POST', body, headers: { 'content-type': type } }), 'the answer to a POST');
  await response.text();
  return response.status;
}
