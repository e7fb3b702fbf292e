// The vectors of values against the official packages: what JavaScript reads of what the server writes, and what it writes itself.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { JsonHubProtocol, NullLogger } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

/** What each vector is in JavaScript. Where the two protocols differ in that, both are named. */
const VALUES = {
  null: null,
  some: 7,
  boolean: true,
  text: 'Grüße',
  letter: 'ß',
  integer: 42,
  negative: -42,
  'integer-wide': 9_007_199_254_740_992,
  'integer-widest': 18_446_744_073_709_552_000,
  double: 1.5,
  'double-whole': 2,
  list: [1, 2],
  map: { a: 1 },
  'map-integer-keys': { 7: 'a' },
  'object-declared': { user_name: 'Ada' },
  'object-camel': { userName: 'Ada' },
  'object-pascal': { UserName: 'Ada' },
  'enum-name': 'Red',
  'enum-number': 2,
  'enum-content': { Circle: { radius: 1.5 } },
  'enum-tagged': { type: 'circle', radius: 1.5 },
  bytes: { json: 'AQL/', messagepack: Uint8Array.of(1, 2, 255) },
  timestamp: { json: '2000-01-01T00:00:00Z', messagepack: new Date(946_684_800_000), written: new Date(946_684_800_000) },
  'timestamp-fraction': {
    json: '2000-01-01T00:00:00.500Z',
    messagepack: new Date(946_684_800_500),
    written: new Date(946_684_800_500),
  },
  uuid: '67e55044-10b1-426f-9247-bb680e5fe0c8',
  'text-timestamp': { json: '1970-01-01T00:00:00Z', messagepack: '1970-01-01T00:00:00Z', written: new Date(0) },
};

/** Each protocol, and how a value of a vector is put into a completion of it. */
const PROTOCOLS = {
  json: {
    official: new JsonHubProtocol(),
    completion: (form) => `{"type":3,"invocationId":"1","result":${form}}\x1e`,
  },
  messagepack: {
    official: new MessagePackHubProtocol(),
    completion: (form) => {
      const message = Buffer.concat([Buffer.from([0x95, 3, 0x80, 0xa1, 0x31, 3]), Buffer.from(form, 'base64')]);
      return Uint8Array.of(message.length, ...message).buffer;
    },
  },
};

const vectors = JSON.parse(readFileSync(new URL('vectors/values.json', import.meta.url)));

for (const [name, { official, completion }] of Object.entries(PROTOCOLS)) {
  const valueOf = (vector) => {
    assert.ok(vector.name in VALUES, `${vector.name} has a value in JavaScript`);
    const value = VALUES[vector.name];
    return value?.json ? { read: value[name], written: value.written ?? value[name] } : { read: value, written: value };
  };

  describe(`values and the official client in ${name}`, () => {
    for (const vector of vectors) {
      test(`${vector.name} is read: ${vector.why}`, () => {
        const [{ result }] = official.parseMessages(completion(vector[name]), NullLogger.instance);
        // MessagePack's bytes are a view of the message, and may be of a kind of their own.
        const read = ArrayBuffer.isView(result) ? Uint8Array.from(result) : result;
        assert.deepEqual(read, valueOf(vector).read);
      });

      const form = vector.javascript?.[name] === undefined ? vector[name] : vector.javascript[name];
      if (form === null) continue;
      test(`${vector.name} is written: ${vector.why}`, () => {
        const message = { type: 3, invocationId: '1', result: valueOf(vector).written };
        assert.deepEqual(official.writeMessage(message), completion(form));
      });
    }
  });
}
