import type * as Api from './hubwire';
import { each } from './platform';

/** What TypeScript makes of an enum: names with values, and the way back. */
function enumeration(names: string, first: number | ((index: number, name: string) => any)): any {
  const result: any = {};
  each(names, function (name, index) {
    result[result[name] = typeof first === 'function' ? first(index, name) : first + index] = name;
  });
  return result;
}

export const LogLevel: typeof Api.LogLevel =
  enumeration('Trace Debug Information Warning Error Critical None', 0);

export const MessageType: typeof Api.MessageType =
  enumeration('Invocation StreamItem Completion StreamInvocation CancelInvocation Ping Close Ack Sequence', 1);

export const TransferFormat: typeof Api.TransferFormat =
  enumeration('Text Binary', 1);

// Flags: none, then SignalR's three. The server's own transport is far off, where SignalR will not come soon.
export const HttpTransportType: typeof Api.HttpTransportType =
  enumeration('None WebSockets ServerSentEvents LongPolling ShortPolling', function (index) { return [0, 1, 2, 4, 128][index]; });

export const HubConnectionState: typeof Api.HubConnectionState =
  enumeration('Disconnected Connecting Connected Disconnecting Reconnecting', function (_index, name) { return name; });
