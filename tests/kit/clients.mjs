// Which clients the scenarios run over. A new client, transport or protocol is one line in one of the tables below.

import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';

import * as signalr from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import EventSource from 'eventsource';
import WebSocket from 'ws';

import { PollingTransport } from './polling.mjs';

// As a page loads them: they leave what they have in the global object.
for (const name of ['hubwire', 'msgpack']) {
  runInThisContext(readFileSync(new URL(`../../crates/hubwire/assets/${name}.min.js`, import.meta.url), 'utf8'));
}

/** Microsoft's client, as everybody has it. */
const official = {
  name: 'official',
  setsHeaders: true,
  builder: (url, { transport, skipNegotiation, headers }) =>
    new signalr.HubConnectionBuilder()
      .withUrl(url, { transport: signalr.HttpTransportType[transport], skipNegotiation, headers })
      .configureLogging(signalr.LogLevel.None),
};

/** The same where connections outlive their sockets. */
const officialStateful = {
  ...official,
  name: 'official with stateful reconnect',
  outlivesSockets: true,
  builder: (url, options) => official.builder(url, options).withStatefulReconnect(),
};

/** The same with a transport of ours below it, which sets no headers. */
const officialOverOurs = {
  name: 'official',
  setsHeaders: false,
  builder: (url, { create }) =>
    new signalr.HubConnectionBuilder().withUrl(url, { transport: create() }).configureLogging(signalr.LogLevel.None),
};

/** Our own client as servers hand it out, given what Node 20 lacks. */
export function ours(url, options) {
  const { HubConnectionBuilder, LogLevel } = globalThis.hubwire;
  return new HubConnectionBuilder().withUrl(url, { WebSocket, EventSource, ...options }).configureLogging(LogLevel.None);
}

const hubwire = {
  name: 'hubwire',
  setsHeaders: true,
  builder: (url, { transport, skipNegotiation, headers }) => {
    return ours(url, { transport: globalThis.hubwire.HttpTransportType[transport], skipNegotiation, headers });
  },
};

/**
 * `saysGoodbye` is whether an end that was meant can be told from a lost network: an event stream just ends.
 * `pings` is whether the two sides ping each other: polls are a sign of life by themselves.
 */
const transports = {
  longPolling: { name: 'LongPolling', transport: 'LongPolling', skipNegotiation: false, saysGoodbye: true, pings: false },
  serverSentEvents: { name: 'ServerSentEvents', transport: 'ServerSentEvents', skipNegotiation: false, saysGoodbye: false, pings: true },
  shortPolling: { name: 'ShortPolling', transport: 'ShortPolling', create: () => new PollingTransport({ short: true }), skipNegotiation: false, saysGoodbye: true, pings: false },
  webSockets: { name: 'WebSockets', transport: 'WebSockets', skipNegotiation: false, saysGoodbye: true, pings: true },
  any: { name: 'whichever gets through', transport: undefined, skipNegotiation: false, saysGoodbye: false, pings: true },
  webSocketsAtOnce: { name: 'WebSockets without negotiation', transport: 'WebSockets', skipNegotiation: true, saysGoodbye: true, pings: true },
};

/**
 * `ping` is what a keep-alive looks like on the wire, in latin1; `create` makes what the official client is given, which speaks JSON by itself.
 * `bytes` and `time` are what a client has for bytes and for a point in time.
 */
const protocols = {
  json: {
    name: 'json',
    ping: '{"type":6}\x1e',
    bytes: (bytes) => Buffer.from(bytes).toString('base64'),
    time: (text) => text,
  },
  messagepack: {
    name: 'messagepack',
    ping: '\x02\x91\x06',
    create: () => new MessagePackHubProtocol(),
    bytes: (bytes) => Uint8Array.from(bytes),
    time: (text) => new Date(text),
  },
};

/** The same from the script that servers hand out. */
const ourMessagePack = {
  ...protocols.messagepack,
  name: "hubwire's messagepack",
  create: () => new globalThis.hubwire.MessagePackHubProtocol(),
};

/** Every combination that has to pass every scenario. */
export const matrix = [
  combination(official, transports.webSockets, protocols.json),
  combination(official, transports.webSocketsAtOnce, protocols.json),
  combination(officialStateful, transports.webSockets, protocols.json),
  combination(official, transports.serverSentEvents, protocols.json),
  combination(official, transports.longPolling, protocols.json),
  combination(officialOverOurs, transports.shortPolling, protocols.json),
  combination(official, transports.webSockets, protocols.messagepack),
  combination(officialStateful, transports.webSockets, protocols.messagepack),
  combination(official, transports.longPolling, protocols.messagepack),
  combination(officialOverOurs, transports.shortPolling, protocols.messagepack),
  combination(hubwire, transports.webSockets, protocols.json),
  combination(hubwire, transports.webSocketsAtOnce, protocols.json),
  // It waits for its goodbye to be posted, and takes an event stream that ends without one for a lost network.
  combination(hubwire, { ...transports.serverSentEvents, saysGoodbye: true }, protocols.json),
  combination(hubwire, transports.longPolling, protocols.json),
  combination(hubwire, transports.shortPolling, protocols.json),
  combination(hubwire, transports.webSockets, protocols.messagepack),
  combination(hubwire, transports.longPolling, ourMessagePack),
];

function combination(client, transport, protocol) {
  return {
    name: `${client.name}, ${transport.name}, ${protocol.name}`,
    client: client.name,
    transport: transport.name,
    protocol: protocol.name,
    negotiates: !transport.skipNegotiation,
    saysGoodbye: transport.saysGoodbye,
    pings: transport.pings,
    setsHeaders: client.setsHeaders,
    outlivesSockets: client.outlivesSockets ?? false,
    ping: protocol.ping,
    bytes: protocol.bytes,
    time: protocol.time,
    /** A builder that has its URL. */
    builder: (url, headers = {}) => {
      const builder = client.builder(url, { ...transport, headers });
      return protocol.create ? builder.withHubProtocol(protocol.create()) : builder;
    },
  };
}

/** The official client over plain WebSockets, for tests that need one well-behaved client and no matrix. */
export const plain = matrix[0];

/** The official client as a page has it that chooses nothing: it takes the best transport that works. */
export const unforced = combination(official, transports.any, protocols.json);
