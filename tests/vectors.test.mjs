// The vectors of MessagePack against the official package, whose bytes they are: what it writes, what it reads, what it refuses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { NullLogger } from '@microsoft/signalr';

const official = new MessagePackHubProtocol();

/** What arrives in JavaScript, in the notation of the vectors (vectors/README.md). */
function notation(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (Array.isArray(value)) return value.map(notation);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, notation(content)]));
  }
  return value;
}

/** The same of a message: nothing in it that is unknown, empty or false. */
function meaning({ type, headers, invocationId, target, arguments: list, item, result, error, allowReconnect, sequenceId }) {
  const message = { type };
  if (headers && Object.keys(headers).length) message.headers = headers;
  if (invocationId) message.invocationId = invocationId;
  if (target !== undefined) message.target = target;
  if (list !== undefined) message.arguments = notation(list);
  if (type === 2) message.item = notation(item);
  if (result !== undefined) message.result = notation(result);
  if (error != null) message.error = error;
  if (allowReconnect) message.allowReconnect = true;
  if (sequenceId !== undefined) message.sequenceId = sequenceId;
  return message;
}

const vectors = (file) => JSON.parse(readFileSync(new URL(`vectors/${file}`, import.meta.url)));

const bytes = ({ base64 }) => {
  const { buffer, byteOffset, byteLength } = Buffer.from(base64, 'base64');
  return buffer.slice(byteOffset, byteOffset + byteLength);
};

const read = (vector) => official.parseMessages(bytes(vector), NullLogger.instance);

describe('MessagePack vectors and the official package', () => {
  for (const vector of vectors('messagepack-messages.json').filter(({ direction }) => direction !== 'toServer')) {
    test(`${vector.name} is read: ${vector.why}`, () => {
      // Where it goes one way only, the package has no idea of the field.
      const { streamIds, ...expected } = vector.message;
      const known = vector.message.type >= 1 && vector.message.type <= 9;
      assert.deepEqual(read(vector).map(meaning), known ? [expected] : []);
    });
  }

  for (const vector of vectors('messagepack-messages.json').filter(({ official }) => official)) {
    test(`${vector.name} is written: ${vector.why}`, () => {
      const { type, streamIds } = vector.message;
      // Dates and bytes as they are; the package reads its own messages, but for the one that only clients send.
      const { arguments: list, item, result } = type === 4 || type === 5 ? vector.message : read(vector)[0];
      const values = { ...(list && { arguments: list }), ...(type === 2 && { item }), ...(result !== undefined && { result }) };
      // The package leaves streams out where it is given none, and writes an empty list where it is given one.
      const message = { ...vector.message, ...values, ...(vector.canonical && { streamIds: streamIds ?? [] }) };
      assert.equal(Buffer.from(official.writeMessage(message)).toString('base64'), vector.base64);
    });
  }

  for (const vector of vectors('messagepack-errors.json').filter(({ direction }) => direction !== 'toServer')) {
    test(`${vector.name} is refused: ${vector.why}`, () => {
      assert.throws(() => read(vector));
    });
  }
});
