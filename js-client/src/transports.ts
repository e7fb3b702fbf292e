import { assign, noop, withQuery } from './platform';
import { P, pause, resolved } from './promise';

/**
 * The transports, in the shape of SignalR's ITransport, in which an application may bring its own.
 * Each is used for one connection; where a stateful one is resumed, for its next socket there is a new one.
 */

/** What a transport needs of the link that it serves. */
export interface Wire {
  _options: any;
  /** WebSocket and EventSource, by their flags. */
  _classes: any;
  _url: string;
  /** The same with the access token, where headers cannot be set. */
  _tokenUrl: string;
  _isBinary: boolean;
  /** Whether the server understands numbered POSTs and acknowledged polls. */
  _acks: any;
  /** A request with the headers, the token and the time limit of the connection. */
  _request: (method: string, url: string, content?: any) => Promise<any>;
}

// Tries again, of a request that may be made twice, and the first pause before one; each next is twice as long.
// All together stay well within the 15 s for which a server remembers who is away.
const RETRIES = 6;
const RETRY_PAUSE = 40;

// A POST carries what waits, up to so many characters: servers bound what they read at once.
const MOST_PER_POST = 65536;

// Short polls come soon after something happened, and slower and slower while nothing does.
const QUICK_POLL = 50;
const SLOW_POLL = 1600;

export function webSocket(wire: Wire): any {
  const options = wire._options;
  let socket: any;
  const self: any = {
    connect: function () {
      return new P<void>(function (resolve, reject) {
        const url = wire._tokenUrl.replace(/^http/i, 'ws');
        const Socket = wire._classes[1];
        let isOpen: any;
        // Old engines take any second argument for a protocol, so only a class that was given gets one.
        socket = options.WebSocket ? new Socket(url, [], { headers: options.headers }) : new Socket(url);
        socket.binaryType = 'arraybuffer';
        socket.onopen = function () { resolve(isOpen = 1 as any); };
        socket.onmessage = function (event: any) { self.onreceive(event.data); };
        // Some engines say only one of these two, and the first says more where both come.
        socket.onerror = socket.onclose = function (event: any) {
          const error = Error('WebSocket closed with status code: ' + event.code + ' (' + (event.reason || event.message || '') + ').');
          if (!isOpen) reject(error);
          else if (event.code) self.onclose(event.code === 1000 ? undefined : error);
        };
      });
    },
    send: function (data: any) {
      return resolved(socket.send(data));
    },
    stop: function () {
      if (socket) socket.close();
    },
  };
  return self;
}

/** Sends by POSTs, one at a time and in order, each with all that waits. */
function poster(wire: Wire, self: any) {
  let waiting: any[] = [];
  let sent = 0;
  let posting: any;

  function post() {
    if (posting || !waiting.length) return;
    const batch: any[] = [];
    let content: any = '';
    do {
      const one = waiting.shift();
      batch.push(one);
      content = content ? content + one._data : one._data;
      // Bytes have no length of that name, and go one message at a time.
    } while (waiting.length && content.length < MOST_PER_POST);

    function settle(error: any) {
      posting = 0;
      batch.forEach(function (one) { (error ? one._reject : one._resolve)(error); });
      // The server waits for this number, and would refuse all that follow.
      if (error && wire._acks) self.onclose(error);
      post();
    }
    const url = withQuery(wire._url, 'seq', ++sent);
    posting = again(wire, function () { return wire._request('POST', url, content); })
      .then(function () { settle(0); }, settle);
  }

  self.send = function (data: any) {
    return new P(function (resolve, reject) {
      waiting.push({ _data: data, _resolve: resolve, _reject: reject });
      post();
    });
  };
  /** Settles when what was sent has arrived. */
  return function () { return resolved(posting); };
}

/** Makes a request again that got no answer, where the server knows it by its number. */
function again(wire: Wire, request: () => Promise<any>, tries = 0): Promise<any> {
  return request().then(null, function (error) {
    if (!wire._acks || error.statusCode || error.name === 'AbortError' || tries === RETRIES) throw error;
    return pause(tries && RETRY_PAUSE << tries).then(function () { return again(wire, request, tries + 1); });
  });
}

export function serverSentEvents(wire: Wire): any {
  const options = wire._options;
  let source: any;
  const self: any = {
    connect: function () {
      return new P<void>(function (resolve, reject) {
        let isOpen: any;
        source = new wire._classes[2](wire._tokenUrl, {
          withCredentials: options.withCredentials,
          headers: options.headers,
        });
        source.onopen = function () { resolve(isOpen = 1 as any); };
        source.onmessage = function (event: any) { self.onreceive(event.data); };
        // It would connect again by itself, to a connection that is gone.
        source.onerror = function (event: any) {
          source.close();
          (isOpen ? self.onclose : reject)(assign(Error('The event stream ended.'), { statusCode: event.status }));
        };
      });
    },
    stop: function () {
      return flushed().then(function () { if (source) source.close(); });
    },
  };
  const flushed = poster(wire, self);
  return self;
}

/** Both kinds of polling; short polls are answered at once. */
export function polling(wire: Wire, isShort: boolean): any {
  let isOver: any;
  let received = 0;
  let idle = 0;
  if (isShort) wire._url += '&transport=shortPolling';
  const self: any = {
    connect: function () {
      // The first poll opens the connection, and is answered at once.
      return poll().then(function () { next(); });
    },
    stop: function () {
      isOver = 1;
      return flushed().then(function () { return wire._request('DELETE', wire._url); });
    },
  };
  const flushed = poster(wire, self);

  function poll() {
    return again(wire, function () {
      return wire._request('GET', withQuery(withQuery(wire._url, 'ack', received), '_', Date.now()));
    });
  }

  function next() {
    if (isOver) return;
    poll().then(function (response) {
      const data = response.content;
      if (response.statusCode === 204) return self.onclose();
      idle = Math.min(idle * 2 || QUICK_POLL, SLOW_POLL);
      if (data && (data.length || data.byteLength)) {
        received++;
        idle = 0;
        self.onreceive(data);
      }
      pause(isShort ? idle || QUICK_POLL : 0).then(next);
    }).then(noop, self.onclose);
  }

  return self;
}
