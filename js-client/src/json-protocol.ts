import { TransferFormat } from './hubwire';

/** Ends every message, and both halves of the handshake whatever the protocol. */
export const RECORD_SEPARATOR = '\x1e';

/** SignalR's JSON hub protocol. Version 2 is version 1 with the messages of stateful reconnect. */
export function JsonHubProtocol() {}
JsonHubProtocol.prototype = {
  name: 'json',
  version: 2,
  transferFormat: TransferFormat.Text,

  parseMessages: function (input: string): any[] {
    return input.split(RECORD_SEPARATOR).filter(Boolean).map(function (record) {
      const message = JSON.parse(record);
      if (!message.type) throw Error('Invalid payload: ' + record);
      return message;
    });
  },

  writeMessage: function (message: any): string {
    return JSON.stringify(message) + RECORD_SEPARATOR;
  },
};
