import { HttpTransportType, TransferFormat } from './enums';
import { TimeoutError } from './errors';
import { DefaultHttpClient } from './http';
import { assign, bare, noop, root, withQuery } from './platform';
import { resolved } from './promise';
import { polling, serverSentEvents, webSocket } from './transports';
import { Format, Level, Message, RECORD_SEPARATOR } from './wire';

/** Whom a link tells. */
export interface LinkEvents {
  /** The handshake is done. */
  _onopen: (isStateful: boolean) => void;
  _onmessage: (message: any) => void;
  /** The transport is lost and is being replaced, without a new handshake. */
  _onlost: () => void;
  _onresumed: () => void;
  _onend: (error?: any) => void;
}

// A negotiate answer may point elsewhere; this many hops are a loop. SignalR's number.
const MAX_REDIRECTS = 100;

// How long a transport may take while there is another one to try. A slow phone needs three; who waits longer leaves.
const CONNECT_TIMEOUT = 5000;

const REMEMBERED = 'hubwire:';

/**
 * One attempt to reach the server, and what it becomes. It goes one way, and any step may be its last:
 *
 *     token → negotiate → transport → handshake → messages → ended
 *
 * Where a transport fails before its handshake is done, the next one is negotiated. Every callback goes
 * through `during`, which is deaf once its transport has been given up, so that a late event of one never
 * reaches the next.
 */
export function openLink(connection: any, settings: any, events: LinkEvents) {
  const options = settings._options;
  const protocol = settings.withHubProtocol;
  const isBinary = protocol.transferFormat === Format.Binary;
  const custom = options.transport && options.transport.connect && options.transport;
  const client = options.httpClient || new (DefaultHttpClient as any)(0, options.XMLHttpRequest);
  const classes: any = {
    1: options.WebSocket || root.WebSocket || root.MozWebSocket,
    2: options.EventSource || root.EventSource,
  };
  const attempts: any[] = (connection.attempts = []);
  let factory = options.accessTokenFactory;
  let signal: any = {};
  let age = 0;
  let sentAt = 0;
  let token: any;
  let transport: any;
  let offers: any[];
  let isOpen: any;
  let timer: any;
  let pingTimer: any;

  function during(step: (value: any) => any) {
    const born = age;
    return function (value?: any) {
      if (born === age) {
        try {
          return step(value);
        } catch (error) {
          end(error);
        }
      }
    };
  }

  /** Gives up what is going on, whatever it is. */
  function close() {
    age++;
    clearTimeout(timer);
    clearTimeout(pingTimer);
    signal.aborted = true;
    if (signal.onabort) signal.onabort();
    signal = {};
    return transport && transport.stop();
  }

  function end(error?: any) {
    resolved(close()).then(noop, noop);
    events._onend(error);
  }

  function askToken() {
    return resolved(factory && factory()).then(function (answer) {
      if (factory) token = answer;
    });
  }

  /** A request that asks for a new token once, when the old one is not good any more. */
  function request(method: string, url: string, content?: any, isSecond?: any): Promise<any> {
    return client.send({
      method: method,
      url: url,
      content: content,
      headers: assign(token ? { Authorization: 'Bearer ' + token } : {}, options.headers),
      responseType: isBinary && method === 'GET' ? 'arraybuffer' : 'text',
      timeout: options.timeout,
      withCredentials: options.withCredentials,
      // What is sent is let through when the connection ends, what is asked is not.
      abortSignal: content ? {} : signal,
    }).then(null, function (error: any) {
      if (error.statusCode !== 401 || !factory || isSecond) throw assign(error, { url: bare(url) });
      return askToken().then(function () { return request(method, url, content, 1); });
    });
  }

  function negotiate(base: string, redirects: number): Promise<any> {
    // A query stays behind the path, and a slash at the path's end is not doubled.
    const url = base.replace(/\/?(\?|$)/, '/negotiate$1');
    return request('POST', withQuery(url, 'negotiateVersion', '1&useAcks=true' + (settings.withStatefulReconnect ? '&useStatefulReconnect=true' : ''))).then(function (response) {
      let answer: any;
      try {
        answer = JSON.parse(response.content);
      } catch (error) {
        throw Error(bare(url) + ' is no hub: it answered ' + response.content.slice(0, 60));
      }
      if (answer.error) throw Error(answer.error);
      if (!answer.url) {
        answer._url = withQuery(base, 'id', answer.negotiateVersion ? answer.connectionToken : answer.connectionId);
        return answer;
      }
      if (redirects === MAX_REDIRECTS) throw Error('Too many redirects.');
      if (answer.accessToken) {
        token = answer.accessToken;
        factory = 0;
      }
      return negotiate(answer.url, redirects + 1);
    });
  }

  /** Whether an offer can be taken; if not, it is noted why. */
  function canTake(offer: any) {
    const name = offer.transport;
    const flag = (HttpTransportType as any)[name];
    const isHere = flag > 2 || classes[flag];
    const why = !flag || (options.transport && !(options.transport & flag)) ? 'disabled'
      : offer.transferFormats.indexOf(TransferFormat[protocol.transferFormat]) < 0 ? 'for text'
      : !isHere && 'not in this engine';
    if (why) failed(name, Date.now(), Error(why));
    return !why;
  }

  function failed(name: string, since: number, error: any) {
    attempts.push({ transport: name, ms: Date.now() - since, error: error });
    settings._logger.log(Level.Information, name + ' failed: ' + error);
  }

  /** The transport that worked in this session, which is tried first. */
  function remembered(name?: string) {
    try {
      const key = REMEMBERED + connection.baseUrl;
      if (!name) return settings._worked || root.sessionStorage[key];
      settings._worked = name;
      root.sessionStorage[key] = name;
    } catch (error) {
      // No storage here, or none that may be used.
    }
  }

  function tryNext() {
    if (offers && !offers.length) {
      throw assign(Error('Unable to connect to the server with any of the available transports. ' + attempts.map(function (attempt) {
        return attempt.transport + ': ' + attempt.error.message;
      }).join(' ')), {
        attempts: attempts,
        innerErrors: attempts.map(function (attempt) { return attempt.error; }),
      });
    }
    negotiate(connection.baseUrl, 0).then(during(function (answer) {
      if (custom) return connect('custom', answer);
      if (!offers) {
        const last = remembered();
        offers = (answer.availableTransports || []).filter(canTake);
        offers.sort(function (a, b) { return +(b.transport === last) - +(a.transport === last); });
      }
      if (offers.length) connect(offers.shift().transport, answer);
      else tryNext();
    }), during(function (error) {
      end(assign(Error('Failed to complete negotiation with the server: ' + error.message), {
        statusCode: error.statusCode, url: error.url, cause: error,
      }));
    }));
  }

  function connect(name: string, answer: any) {
    const begin = Date.now();
    const isWebSocket = name[0] === 'W';
    const isStateful = isWebSocket && answer.useStatefulReconnect;
    const isPolling = /Polling/.test(name);
    const limit = connection.serverTimeoutInMilliseconds;

    const lost = during(function (error) {
      if (!isOpen) {
        failed(name, begin, error);
        // Without negotiation, or with a transport that was brought, there is no other.
        if (!offers) return end(error);
        resolved(close()).then(noop, noop);
        during(tryNext)();
      } else if (isStateful && error) {
        events._onlost();
        clearTimeout(pingTimer);
        arm(CONNECT_TIMEOUT, error);
        reach(during(events._onresumed), during(function () { end(error); }));
      } else end(error);
    });

    function reach(then: any, otherwise: any) {
      (isWebSocket ? askToken() : resolved()).then(during(function () {
        const wire = {
          _options: options,
          _classes: classes,
          _request: request,
          _acks: answer.useAcks,
          _url: answer._url,
          // A page cannot set headers on a WebSocket or an event stream.
          _tokenUrl: token ? withQuery(answer._url, 'access_token', encodeURIComponent(token)) : answer._url,
          _isBinary: isBinary,
        };
        transport = custom || (isWebSocket ? webSocket : isPolling ? polling : serverSentEvents)(wire, name[0] === 'S');
        transport.onreceive = during(receive);
        transport.onclose = lost;
        return transport.connect(answer._url, protocol.transferFormat);
      })).then(then).then(null, otherwise);
    }

    function arm(ms: number, error?: any) {
      clearTimeout(timer);
      timer = setTimeout(during(function () {
        (isOpen ? end : lost)(error || new TimeoutError('Server timeout elapsed.'));
      }), ms);
    }

    function receive(data: any) {
      if (!isOpen) data = shake(data);
      clearTimeout(timer);
      if (!isPolling) {
        arm(connection.serverTimeoutInMilliseconds);
        armPing();
      }
      if (data) protocol.parseMessages(data, settings._logger).forEach(during(events._onmessage));
    }

    /** Reads the answer to the handshake, and gives what came behind it. */
    function shake(data: any) {
      let record = data;
      if (isBinary) {
        record = '';
        [].forEach.call(new Uint8Array(data), function (byte) { record += String.fromCharCode(byte); });
      }
      const end = record.indexOf(RECORD_SEPARATOR);
      const reply = JSON.parse(record.slice(0, end));
      if (reply.error) throw Error('Server returned handshake error: ' + reply.error);
      isOpen = 1;
      attempts.push({ transport: name, ms: Date.now() - begin });
      remembered(name);
      connection.transport = name;
      connection.connectionId = answer.connectionId || null;
      // A server minds a client's silence only after its first ping.
      if (!isPolling) ping();
      events._onopen(isStateful);
      return record.length > end + 1 && data.slice(end + 1);
    }

    arm(offers && offers.length ? Math.min(options.connectTimeout || CONNECT_TIMEOUT, limit) : limit);
    reach(during(function () {
      return transport.send(JSON.stringify({ protocol: protocol.name, version: isStateful ? protocol.version : 1 }) + RECORD_SEPARATOR);
    }), lost);
  }

  function write(data: any) {
    sentAt = Date.now();
    return transport.send(data);
  }

  function ping() {
    write(protocol.writeMessage({ type: Message.Ping })).then(noop, noop);
    armPing();
  }

  // Armed anew by all that arrives: in hidden tabs browsers delay timers that were set by timers, by a minute
  // and more, but not those that were set by the network.
  function armPing() {
    const interval = connection.keepAliveIntervalInMilliseconds;
    clearTimeout(pingTimer);
    pingTimer = setTimeout(during(ping), Math.min(interval, sentAt + interval - Date.now()));
  }

  // Not in the caller's turn: it is to have the link before the link has news.
  askToken().then(during(function () {
    if (!options.skipNegotiation) return tryNext();
    if (options.transport !== HttpTransportType.WebSockets) {
      throw Error('Negotiation can only be skipped with WebSockets.');
    }
    connect('WebSockets', { _url: connection.baseUrl });
  }), during(end));

  return {
    _send: write,
    _close: close,
  };
}
