import type * as Api from './hubwire';

/** What TypeScript makes of an enum, from its names; `value` gives the number that belongs to the name at an index. */
function numbered(names: string, value: (index: number) => number): any {
  const result: any = {};
  names.split(' ').forEach(function (name, index) {
    const number = value(index);
    result[number] = name;
    result[name] = number;
  });
  return result;
}

export const LogLevel: typeof Api.LogLevel =
  numbered('Trace Debug Information Warning Error Critical None', function (index) { return index; });

export const MessageType: typeof Api.MessageType =
  numbered('Invocation StreamItem Completion StreamInvocation CancelInvocation Ping Close Ack Sequence', function (index) { return index + 1; });

export const TransferFormat: typeof Api.TransferFormat =
  numbered('Text Binary', function (index) { return index + 1; });

// Flags: none, then SignalR's three. The server's own transport is far off, where SignalR will not come soon.
export const HttpTransportType: typeof Api.HttpTransportType =
  numbered('None WebSockets ServerSentEvents LongPolling ShortPolling', function (index) { return [0, 1, 2, 4, 128][index]; });

export const HubConnectionState: typeof Api.HubConnectionState = {} as any;
'Disconnected Connecting Connected Disconnecting Reconnecting'.split(' ').forEach(function (name) {
  (HubConnectionState as any)[name] = name;
});
