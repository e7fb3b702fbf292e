import { HttpError } from './errors';
import { sizeOf } from './platform';
import { P, quietly, resolved } from './promise';

/**
 * The transports, in the shape of SignalR's ITransport, in which an application may bring its own.
 * Each is used for one connection; where a stateful one is resumed, for its next socket there is a new one.
 */

export type Receive = (data: any) => void;
export type Close = (error?: any) => void;

/** Asks the server, with the headers, the token and the time limit of the connection. */
export type Request = (method: string, url: string, content?: any, tries?: number) => Promise<any>;

// Tries again, of a request that may be made twice.
export const RETRIES = 6;

// A POST carries what waits, up to so many characters: servers bound what they read at once.
const MOST_PER_POST = 64000;

// Short polls come soon after something happened, and slower and slower while nothing does.
const QUICK_POLL = 50;
const SLOW_POLL = 1600;

/** A WebSocket or an event stream: they say the same to whoever listens. */
export function socket(Class: any, url: string, options: any, isStream: boolean, onreceive: Receive, onclose: Close): any {
  let source: any;
  return {
    connect: function () {
      return new P<void>(function (resolve, reject) {
        let isOpen: any;
        // Old engines take any second argument of a WebSocket for a protocol, so only a class that was given gets more.
        if (isStream) source = new Class(url, options);
        else {
          url = url.replace(/^http/i, 'ws');
          source = options.WebSocket ? new Class(url, [], options) : new Class(url);
        }
        source.binaryType = 'arraybuffer';
        source.onopen = function () { resolve(isOpen = 1 as any); };
        source.onmessage = function (event: any) { onreceive(event.data); };
        // Some engines tell of a lost WebSocket by only one of these, and an event stream would connect again by itself.
        source.onerror = source.onclose = function (event: any) {
          const code = event.code || 1006;
          const error = new HttpError('Connection lost: ' + code + ' ' + (event.reason || event.message || ''), code);
          source.close();
          if (isOpen) onclose(code === 1000 ? undefined : error);
          else reject(error);
        };
      });
    },
    send: function (data: any) {
      source.send(data);
    },
    stop: function () {
      if (source) source.close();
    },
  };
}

/** Polls, which bring what waits; short ones are answered at once. */
export function polling(request: Request, url: string, isShort: boolean, onreceive: Receive, onclose: Close): any {
  let isOver: any;
  let received = 0;
  let idle = QUICK_POLL;

  // The first poll opens the connection, and is answered at once.
  function poll(): Promise<any> {
    return request('GET', url + '&ack=' + received + '&_=' + Date.now()).then(function (response) {
      const data = response.content;
      if (response.statusCode === 204) return onclose();
      idle = Math.min(idle * 2, SLOW_POLL);
      if (sizeOf(data)) {
        received++;
        idle = QUICK_POLL;
        onreceive(data);
      }
      setTimeout(function () { if (!isOver) poll().catch(onclose); }, isShort ? idle : 0);
    });
  }

  return {
    connect: poll,
    stop: function () {
      isOver = 1;
      // Once: who is not reached will notice by itself.
      return request('DELETE', url, 0, RETRIES + 1);
    },
  };
}

/** Has a transport that only receives send by POSTs, one at a time and in order, each with all that waits. */
export function posting(transport: any, request: Request, url: string, onclose?: Close) {
  const close = transport.stop;
  const queue: any[] = [];
  let sent = resolved();
  let count = 0;

  function post() {
    return request('POST', url + '&seq=' + ++count, queue.shift());
  }

  transport.send = function (data: any) {
    const last = queue.length - 1;
    // Bytes have no length of that name, and go one message at a time.
    if (queue[last] && queue[last].length < MOST_PER_POST) queue[last] += data;
    else {
      queue.push(data);
      sent = sent.then(post, post);
      // The server waits for this number, and would refuse all that follow.
      if (onclose) sent.catch(onclose);
    }
    return sent;
  };
  transport.stop = function () {
    return quietly(sent).then(close);
  };
}
