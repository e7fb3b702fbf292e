import { Format, RECORD_SEPARATOR } from './wire';

/** SignalR's JSON hub protocol. Version 2 is version 1 with the messages of stateful reconnect. */
export function JsonHubProtocol() {}
JsonHubProtocol.prototype = {
  name: 'json',
  version: 2,
  transferFormat: Format.Text,

  parseMessages: function (input: string): any[] {
    const records = input.split(RECORD_SEPARATOR);
    if (records.pop()) throw Error('Message is incomplete.');
    return records.map(function (record) {
      const message = JSON.parse(record);
      if (!message.type) throw Error('Invalid payload: ' + record.slice(0, 60));
      return message;
    });
  },

  writeMessage: function (message: any): string {
    return JSON.stringify(message) + RECORD_SEPARATOR;
  },
};
