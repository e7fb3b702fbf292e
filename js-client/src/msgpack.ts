/**
 * SignalR's MessagePack hub protocol, for `withHubProtocol`: a package entry of its own, `hubwire/msgpack`.
 * Values become what the official protocol makes of them: integers take their shortest form, a Date is a timestamp,
 * an ArrayBuffer or a view of one is bytes, which come back as a Uint8Array.
 */
declare const escape: (text: string) => string;

const TWO_32 = 4294967296;

/** A message, as an array, from its fields; each after the length of its bytes. */
function encode(message: any[]): ArrayBuffer {
  let bytes = new Uint8Array(256);
  let length = 0;

  /** Makes room, and gives where it begins. */
  function room(count: number) {
    const at = length;
    length += count;
    if (length > bytes.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    return at;
  }

  /** An integer behind its tag, the highest byte first: what does not fit a byte is cut off by the array. */
  function put(tag: number, width: number, integer: number) {
    const at = room(width + 1);
    bytes[at] = tag;
    for (; width; width--) {
      bytes[at + width] = integer;
      integer = Math.floor(integer / 256);
    }
  }

  /** How often a byte is doubled to hold it. */
  function widthOf(count: number) {
    return count < 256 ? 0 : count < 65536 ? 1 : count < TWO_32 ? 2 : 3;
  }

  /** How many there are of something: in the tag when they are few; tags of one byte are not for all. */
  function head(count: number, fixed: number, limit: number, tag: number) {
    const width = Math.max(widthOf(count), limit === 16 ? 1 : 0);
    if (count < limit) put(fixed + count, 0, 0);
    else put(tag + width, 1 << width, count);
  }

  function blob(data: Uint8Array) {
    const at = room(data.length);
    bytes.set(data, at);
  }

  function text(value: string) {
    // What stands alone of a pair is no character.
    const plain = unescape(encodeURIComponent(value.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, function (pair) {
      return pair[1] ? pair : '\ufffd';
    })));
    head(plain.length, 0xa0, 32, 0xd9);
    const at = room(plain.length);
    for (let i = 0; i < plain.length; i++) bytes[at + i] = plain.charCodeAt(i);
  }

  function time(value: Date) {
    const seconds = Math.floor(+value / 1000);
    const nanoseconds = (+value - seconds * 1000) * 1e6;
    const high = Math.floor(seconds / TWO_32);
    if (high >>> 2) {
      put(0xc7, 1, 12);
      put(0xff, 4, nanoseconds);
      put(high >> 24, 7, seconds);
    } else if (high || nanoseconds) {
      put(0xd7, 1, 0xff);
      put(nanoseconds >>> 22, 3, nanoseconds * 4 + high);
      put(seconds >>> 24, 3, seconds);
    } else {
      put(0xd6, 1, 0xff);
      put(seconds >>> 24, 3, seconds);
    }
  }

  function write(value: any) {
    const type = typeof value;
    if (value == null) put(0xc0, 0, 0);
    else if (type === 'boolean') put(value ? 0xc3 : 0xc2, 0, 0);
    else if (type === 'number') {
      if (Math.floor(value) !== value || Math.abs(value) > 9007199254740991) {
        put(0xcb, 0, 0);
        const at = room(8);
        new DataView(bytes.buffer).setFloat64(at, value);
      } else if (value < 128 && value >= -32) put(value, 0, 0);
      else {
        const width = widthOf(value < 0 ? -2 * value - 1 : value);
        put((value < 0 ? 0xd0 : 0xcc) + width, 1 << width, value);
      }
    } else if (type === 'string') text(value);
    else if (value instanceof Date) time(value);
    else if (value instanceof ArrayBuffer || value.buffer instanceof ArrayBuffer) {
      head(value.byteLength, 0, 0, 0xc4);
      blob(new Uint8Array(value.buffer || value, value.byteOffset || 0, value.byteLength));
    } else if (Array.isArray(value)) {
      head(value.length, 0x90, 16, 0xdb);
      value.forEach(write);
    } else if (type === 'object') {
      const keys = Object.keys(value);
      head(keys.length, 0x80, 16, 0xdd);
      keys.forEach(function (key) {
        text(key);
        write(value[key]);
      });
    } else throw Error('MessagePack has no ' + type + '.');
  }

  write(message);
  const body = bytes.subarray(0, length);
  length = 0;
  bytes = new Uint8Array(body.length + 5);
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    put(rest % 128 + (rest < 128 ? 0 : 128), 0, 0);
    if (rest < 128) break;
  }
  blob(body);
  return new Uint8Array(bytes.subarray(0, length)).buffer;
}

/** What lies between `at` and `end`: exactly one value. */
function decode(bytes: Uint8Array, at: number, end: number) {
  const view = new DataView(bytes.buffer);

  /** Passes over so many bytes, and gives where they begin. */
  function take(count: number) {
    const from = at;
    at += count;
    if (at > end) throw Error('Invalid payload: it ends early.');
    return from;
  }

  /** An integer, the highest byte first. */
  function integer(width: number, isSigned?: any) {
    let from = take(width);
    let value = isSigned && bytes[from] > 127 ? -1 : 0;
    for (; width; width--) value = value * 256 + bytes[from++];
    return value;
  }

  function blob(count: number) {
    const from = take(count);
    return bytes.subarray(from, at);
  }

  function text(count: number) {
    const data = blob(count);
    let plain = '';
    if (typeof TextDecoder === 'function') return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
    for (let i = 0; i < count; i++) plain += String.fromCharCode(data[i]);
    return decodeURIComponent(escape(plain));
  }

  function list(count: number) {
    const values: any[] = [];
    while (count--) values.push(read());
    return values;
  }

  function map(count: number) {
    const values: any = {};
    while (count--) {
      const key = read();
      if ((typeof key !== 'string' && typeof key !== 'number') || key === '__proto__') throw Error('Invalid payload: the key ' + key + '.');
      values[key] = read();
    }
    return values;
  }

  function extension(count: number) {
    const type = integer(1, 1);
    if (type !== -1) return { type: type, data: blob(count) };
    let nanoseconds = count === 4 ? 0 : integer(4);
    let seconds: number;
    if (count === 8) {
      seconds = (nanoseconds & 3) * TWO_32 + integer(4);
      nanoseconds >>>= 2;
    } else seconds = integer(count === 4 ? 4 : 8, count > 4);
    return new Date(seconds * 1000 + nanoseconds / 1e6);
  }

  function read(): any {
    const tag = integer(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return map(tag - 0x80);
    if (tag < 0xa0) return list(tag - 0x90);
    if (tag < 0xc0) return text(tag - 0xa0);
    if (tag === 0xc0) return null;
    if (tag === 0xc1) throw Error('Invalid payload: c1.');
    if (tag < 0xc4) return tag > 0xc2;
    if (tag < 0xc7) return blob(integer(1 << (tag - 0xc4)));
    if (tag < 0xca) return extension(integer(1 << (tag - 0xc7)));
    if (tag === 0xca) return view.getFloat32(take(4));
    if (tag === 0xcb) return view.getFloat64(take(8));
    if (tag < 0xd0) return integer(1 << (tag - 0xcc));
    if (tag < 0xd4) return integer(1 << (tag - 0xd0), 1);
    if (tag < 0xd9) return extension(1 << (tag - 0xd4));
    if (tag < 0xdc) return text(integer(1 << (tag - 0xd9)));
    if (tag < 0xde) return list(integer(2 << (tag - 0xdc)));
    if (tag < 0xe0) return map(integer(2 << (tag - 0xde)));
    return tag - 256;
  }

  const value = read();
  if (at < end) throw Error('Invalid payload: it goes on.');
  return value;
}

// The names of what an array holds behind its type. A number says how many must be there.
const FIELDS: any[] = [
  0,
  [5, 'headers', 'invocationId', 'target', 'arguments', 'streamIds'],
  [4, 'headers', 'invocationId', 'item'],
  [4, 'headers', 'invocationId', 'kind', 'value'],
  [5, 'headers', 'invocationId', 'target', 'arguments', 'streamIds'],
  [3, 'headers', 'invocationId'],
  [1],
  [2, 'error', 'allowReconnect'],
  [2, 'sequenceId'],
  [2, 'sequenceId'],
];

// Of a completion: what its value is.
const ERROR = 1;
const NOTHING = 2;
const RESULT = 3;

/** What `withHubProtocol` takes. */
export function MessagePackHubProtocol() {}
MessagePackHubProtocol.prototype = {
  name: 'messagepack',
  version: 2,
  transferFormat: 2,

  parseMessages: function (input: ArrayBuffer, logger: any): any[] {
    const bytes = new Uint8Array(input);
    const messages: any[] = [];
    for (let at = 0; at < bytes.length;) {
      let size = 0;
      let byte = 128;
      for (let factor = 1; byte > 127; factor *= 128) {
        byte = bytes[at++];
        size += (byte % 128) * factor;
        // Five bytes are enough for 2 GiB, which is the most.
        if (!(size < TWO_32 / 2)) throw Error('Invalid payload: a length without an end.');
      }
      if (at + size > bytes.length) throw Error('Message is incomplete.');
      const values = decode(bytes, at, at + size);
      at += size;

      const type = values && values[0];
      const fields = FIELDS[type];
      if (typeof type !== 'number' || (fields && values.length < fields[0])) throw Error('Invalid payload for message ' + type + '.');
      if (!fields) {
        logger.log(2, 'Unknown message type ' + type + ' ignored.');
        continue;
      }
      const message: any = { type: type };
      for (let i = 1; i < fields.length; i++) if (values[i] != null || fields[i] === 'item') message[fields[i]] = values[i];
      if (type === 3) {
        if (values[3] !== NOTHING && values.length < 5) throw Error('Invalid payload for message 3.');
        message[values[3] === ERROR ? 'error' : 'result'] = values[3] === NOTHING ? undefined : values[4];
        delete message.kind;
        delete message.value;
      }
      messages.push(message);
    }
    return messages;
  },

  writeMessage: function (message: any): ArrayBuffer {
    const type = message.type;
    const values: any[] = [type];
    if (type < 6) values.push(message.headers || {}, message.invocationId || null);
    if (type === 1 || type === 4) {
      values.push(message.target, message.arguments);
      if (message.streamIds) values.push(message.streamIds);
    } else if (type === 2) values.push(message.item);
    else if (type === 3) {
      if (message.error) values.push(ERROR, message.error);
      else if (message.result === undefined) values.push(NOTHING);
      else values.push(RESULT, message.result);
    } else if (type === 7) values.push(message.error);
    else if (type > 7) values.push(message.sequenceId);
    return encode(values);
  },
};
