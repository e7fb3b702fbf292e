import { assign, sizeOf, withQuery } from './platform';
import { P, quietly, resolved } from './promise';

/**
 * The transports, in the shape of SignalR's ITransport, in which an application may bring its own.
 * Each is used for one connection; where a stateful one is resumed, for its next socket there is a new one.
 */

/** Asks the server, with the headers, the token and the time limit of the connection. */
export type Request = (method: string, url: string, content?: any, tries?: number) => Promise<any>;

// Tries again, of a request that may be made twice.
export const RETRIES = 6;

// A POST carries what waits, up to so many characters: servers bound what they read at once.
const MOST_PER_POST = 65536;

// Short polls come soon after something happened, and slower and slower while nothing does.
const QUICK_POLL = 50;
const SLOW_POLL = 1600;

/** A WebSocket or an event stream: they say the same to whoever listens. */
export function socket(Class: any, url: string, options: any, isStream: boolean): any {
  let source: any;
  const self: any = {
    connect: function () {
      return new P<void>(function (resolve, reject) {
        let isOpen: any;
        // Old engines take any second argument of a WebSocket for a protocol, so only a class that was given gets more.
        source = isStream ? new Class(url, options) : options.WebSocket ? new Class(url, [], options) : new Class(url);
        source.binaryType = 'arraybuffer';
        source.onopen = function () { resolve(isOpen = 1 as any); };
        source.onmessage = function (event: any) { self.onreceive(event.data); };
        // Some engines tell of a lost WebSocket by only one of these, and an event stream would connect again by itself.
        source.onerror = source.onclose = function (event: any) {
          const code = event.code || event.status || 1006;
          const error = assign(Error((isStream ? 'EventSource' : 'WebSocket') + ' closed with status code: ' + code + ' (' + (event.reason || event.message || 'no reason given') + ').'), { statusCode: code });
          source.close();
          if (isOpen) self.onclose(code === 1000 ? undefined : error);
          else reject(error);
        };
      });
    },
    send: function (data: any) {
      return resolved(source.send(data));
    },
    stop: function () {
      if (source) source.close();
    },
  };
  return self;
}

/** Polls, which bring what waits; short ones are answered at once. */
export function polling(request: Request, url: string, isShort: boolean): any {
  let isOver: any;
  let received = 0;
  let idle = QUICK_POLL;

  // The first poll opens the connection, and is answered at once.
  function poll(): Promise<any> {
    return request('GET', withQuery(withQuery(url, 'ack', received), '_', Date.now())).then(function (response) {
      const data = response.content;
      if (response.statusCode === 204) return self.onclose();
      idle = Math.min(idle * 2, SLOW_POLL);
      if (sizeOf(data)) {
        received++;
        idle = QUICK_POLL;
        self.onreceive(data);
      }
      setTimeout(function () { if (!isOver) poll().catch(self.onclose); }, isShort ? idle : 0);
    });
  }

  const self: any = {
    connect: poll,
    stop: function () {
      isOver = 1;
      // Once: who is not reached will notice by itself.
      return request('DELETE', url, 0, RETRIES + 1);
    },
  };
  return self;
}

/** Has a transport that only receives send by POSTs, one at a time and in order, each with all that waits. */
export function posting(transport: any, request: Request, url: string, mustArrive: boolean): any {
  const close = transport.stop;
  let last = resolved();
  let batch: any;
  let count = 0;

  transport.send = function (data: any) {
    // Bytes have no length of that name, and go one message at a time.
    if (batch && batch._data.length < MOST_PER_POST) batch._data += data;
    else {
      const here = (batch = { _data: data });
      const post = function () {
        if (batch === here) batch = 0;
        return request('POST', withQuery(url, 'seq', ++count), here._data);
      };
      last = last.then(post, post);
      // The server waits for this number, and would refuse all that follow.
      if (mustArrive) last.catch(transport.onclose);
    }
    return last;
  };
  transport.stop = function () {
    return quietly(last).then(close);
  };
  return transport;
}
