import { each } from './platform';

/** What TypeScript makes of an enum: names with values, and the way back. Values are counted, or listed, or else the names. */
function enumeration(names: string, first?: any): any {
  const result: any = {};
  each(names, function (name, index) {
    result[result[name] = first < 2 ? first + index : first ? first[index] : name] = name;
  });
  return result;
}

export const LogLevel: any =
  enumeration('Trace Debug Information Warning Error Critical None', 0);

export const MessageType: any =
  enumeration('Invocation StreamItem Completion StreamInvocation CancelInvocation Ping Close Ack Sequence', 1);

export const TransferFormat: any =
  enumeration('Text Binary', 1);

// Flags: none, then SignalR's three. The server's own transport is far off, where SignalR will not come soon.
export const HttpTransportType: any =
  enumeration('None WebSockets ServerSentEvents LongPolling ShortPolling', [0, 1, 2, 4, 128]);

export const HubConnectionState: any =
  enumeration('Disconnected Connecting Connected Disconnecting Reconnecting');
