import { HttpTransportType } from './enums';
import { CLOSED, TimeoutError, unexpected } from './errors';
import { DefaultHttpClient } from './http';
import { LogLevel, MessageType, TransferFormat } from './hubwire';
import { RECORD_SEPARATOR } from './json-protocol';
import { assign, withQuery } from './platform';
import { P, quietly, resolved } from './promise';
import { replayBuffer } from './replay';
import { RETRIES, polling, posting, socket } from './transports';

// A negotiate answer may point elsewhere; this many hops are a loop. SignalR's number.
const MAX_REDIRECTS = 100;

// A request may take longer than servers hold polls. SignalR's number.
const REQUEST_TIMEOUT = 100000;

// An answer to a handshake is an error's text at most; engines bound how many arguments a function takes.
const LONGEST_HANDSHAKE = 9000;

// Servers bound what a query may be, and lines of logs.
const LONGEST_REPORT = 500;

// How long a transport may take while there is another one to try. A slow phone needs three; who waits longer leaves.
const CONNECT_TIMEOUT = 5000;

// The first pause before a request is made again; each next is twice as long. All together stay well within the 15 s
// for which a server remembers who is away.
const RETRY_PAUSE = 40;

/**
 * One attempt to reach the server, and what it becomes. It goes one way, and any step may be its last:
 *
 *     negotiate → token → transport → handshake → messages → ended
 *
 * Where a transport fails before its handshake is done, the next one is negotiated. Every callback goes
 * through `during`, which is deaf once its transport has been given up, so that a late event of one never
 * reaches the next.
 */
export function openLink(connection: any, settings: any, onopen: () => void, onmessage: (message: any) => void, onend: (error?: any) => void) {
  const protocol = settings.withHubProtocol;
  const isBinary = protocol.transferFormat === TransferFormat.Binary;
  const custom = (settings.transport || 0).connect && settings.transport;
  const client = settings.httpClient || new (DefaultHttpClient as any)();
  // By their flags; the others need none.
  const classes: any[] = [, settings.WebSocket || scope.WebSocket || scope.MozWebSocket, settings.EventSource || scope.EventSource];
  const attempts: any[] = (connection.attempts = []);
  let factory = settings.accessTokenFactory;
  let signal: any = {};
  let age = 0;
  let sentAt = -Infinity;
  let failures = '';
  let token: any;
  let transport: any;
  let offers: any;
  let mayRepeat: any;
  let isOpen: any;
  let replay: any;
  let timer: any;
  let pingTimer: any;

  function during(step: (value?: any) => any) {
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
  function close(error?: any) {
    age++;
    if (replay) replay._drop(error || Error(CLOSED));
    clearTimeout(timer);
    clearTimeout(pingTimer);
    signal.aborted = true;
    if (signal.onabort) signal.onabort();
    signal = {};
    return quietly(transport && transport.stop());
  }

  function end(error?: any) {
    close(error);
    onend(error);
  }

  function askToken() {
    return resolved(factory && factory()).then(function (answer) { token = answer; });
  }

  /** A request that asks for a new token once, when the old one is not good any more, and is made again where that does no harm. */
  function request(method: string, url: string, content?: any, tries?: any): Promise<any> {
    const born = age;
    return client.send({
      method: method,
      url: url,
      content: content,
      headers: assign(token ? { Authorization: 'Bearer ' + token } : {}, settings.headers),
      responseType: isBinary && method === 'GET' ? 'arraybuffer' : '',
      // What is sent is let through when the connection ends, what is asked is not.
      abortSignal: content ? {} : signal,
      // Old engines never hear of some requests again, and neither do phones that were asleep: only polls and uploads may take long.
      timeout: settings.timeout || (content || method === 'GET' ? REQUEST_TIMEOUT : connection.serverTimeoutInMilliseconds),
      withCredentials: settings.withCredentials,
      XMLHttpRequest: settings.XMLHttpRequest,
    }).then(function (response: any) {
      // Firefox takes an answer that was cut for a whole one.
      if (method === 'GET' && /^{.*[^\x1e]$/.test(response.content)) throw Error(CLOSED);
      return response;
    }).catch(function (error: any) {
      const isStale = factory && error.statusCode === 401;
      if (born !== age || tries > RETRIES || !(isStale || (mayRepeat && !error.statusCode))) throw error;
      return (isStale ? askToken() : new P(function (resolve) { setTimeout(resolve, RETRY_PAUSE << tries); })).then(function () {
        return request(method, url, content, isStale ? RETRIES + 1 : (tries || 0) + 1);
      });
    });
  }

  function negotiate(base: string, redirects: number): Promise<any> {
    // A query stays behind the path, and a slash at the path's end is not doubled.
    let url = withQuery(base.replace(/\/?(\?|$)/, '/negotiate$1'), 'negotiateVersion', 1) + '&useAcks=true';
    if (settings.withStatefulReconnect) url += '&useStatefulReconnect=true';
    // Why others failed, for the server's log. Half of a character, which there may be in an error's text, cannot be part of an address.
    if (failures) url = withQuery(url, 'failed', failures.replace(/[^ -~]/g, '?').slice(0, LONGEST_REPORT));
    return askToken().then(function () {
      return request('POST', url);
    }).then(function (response) {
      let answer: any;
      try {
        answer = JSON.parse(response.content);
      } catch (error) {
        throw unexpected(url, response);
      }
      if (answer.error) throw Error(answer.error);
      if (!answer.url) {
        answer._url = withQuery(base, 'id', answer.connectionToken || answer.connectionId);
        return answer;
      }
      if (redirects === MAX_REDIRECTS) throw unexpected(url, response);
      if (answer.accessToken) factory = function () { return answer.accessToken; };
      return negotiate(answer.url, redirects + 1);
    });
  }

  /** Sorts offers out: what can be taken is on the list, what worked in this session at its head; of the rest it is noted why. */
  function choose(offer: any) {
    const name = offer.transport;
    const flag = HttpTransportType[name];
    if (flag & (settings.transport || -1) && (flag > 2 || classes[flag]) && offer.transferFormats.indexOf(isBinary ? 'Binary' : 'Text') > -1) {
      offers[name === remembered() ? 'unshift' : 'push'](name);
    } else note(name, Date.now(), Error('unusable'));
  }

  function note(name: string, since: number, error?: any) {
    attempts.push({ transport: name, ms: Date.now() - since, error: error });
    if (error) settings._logger.log(LogLevel.Information, failures += ' ' + name + ': ' + error.message);
  }

  /** The transport that worked in this session, which is tried first. */
  function remembered(name?: string) {
    const key = 'hubwire:' + connection.baseUrl;
    try {
      const memory = scope.sessionStorage || settings;
      return name ? (memory[key] = name) : memory[key];
    } catch (error) {
      // There is a storage that must not be used.
    }
  }

  function tryNext() {
    mayRepeat = 0;
    if (offers && !offers.length) throw assign(Error('No transport worked.' + failures), { attempts: attempts });
    negotiate(connection.baseUrl, 0).then(during(function (answer) {
      if (!offers) {
        offers = [];
        if (custom) offers.push('custom');
        else answer.availableTransports.forEach(choose);
      }
      if (offers.length) connect(offers.shift(), answer);
      else tryNext();
    }), during(end));
  }

  function connect(name: string, answer: any) {
    const begin = Date.now();
    const url = answer._url;
    const flag = HttpTransportType[name];
    const isPolling = flag > 2;
    const isShort = flag > 4;

    /** Connects the transport: the first time to shake hands, and then in place of one that was lost. */
    function reach() {
      askToken().then(during(function () {
        // A page cannot set headers on a WebSocket or an event stream.
        const onreceive = during(receive);
        const onclose = during(lost);
        transport = custom || (isPolling ? polling(request, isShort ? url + '&transport=shortPolling' : url, isShort, onreceive, onclose)
          : socket(classes[flag], token ? withQuery(url, 'access_token', token) : url, settings, flag > 1, onreceive, onclose));
        if (flag > 1) posting(transport, request, url, mayRepeat && onclose);
        if (custom) assign(custom, { onreceive: onreceive, onclose: onclose });
        // The last one has as long as the server may be silent.
        arm((isOpen || offers.length) && (settings.connectTimeout || CONNECT_TIMEOUT));
        return transport.connect(url, protocol.transferFormat);
      })).then(during(function () {
        if (isOpen) replay._resume();
        else return transport.send(JSON.stringify({ protocol: protocol.name, version: replay ? protocol.version : 1 }) + RECORD_SEPARATOR);
      })).catch(during(lost));
    }

    function lost(error?: any) {
      if (!isOpen) {
        note(name, begin, error || Error(CLOSED));
        close();
        tryNext();
      } else if (error && replay && replay._lost()) {
        age++;
        clearTimeout(pingTimer);
        transport.stop();
        reach();
      } else end(error);
    }

    function arm(ms?: any) {
      clearTimeout(timer);
      timer = setTimeout(during(function () { lost(new TimeoutError('Connection lost: timeout')); }), ms || connection.serverTimeoutInMilliseconds);
    }

    function receive(data: any) {
      if (!isOpen) data = shake(data);
      if (isPolling) clearTimeout(timer);
      else {
        arm();
        armPing();
      }
      if (data) {
        protocol.parseMessages(data, settings._logger).forEach(during(function (message) {
          if (!replay || replay._accepts(message)) onmessage(message);
        }));
      }
    }

    /** Reads the answer to the handshake, and gives what came behind it. */
    function shake(data: any) {
      const text = isBinary ? String.fromCharCode.apply(null, [].slice.call(new Uint8Array(data), 0, LONGEST_HANDSHAKE)) : data;
      const record = text.split(RECORD_SEPARATOR)[0];
      const reply = JSON.parse(record);
      if (reply.error) throw Error(reply.error);
      isOpen = 1;
      note(name, begin);
      remembered(name);
      connection.transport = name;
      connection.connectionId = answer.connectionId || null;
      onopen();
      return data.slice(record.length + 1);
    }

    mayRepeat = answer.useAcks;
    replay = flag < 2 && answer.useStatefulReconnect && replayBuffer(write, put, settings.withStatefulReconnect.bufferSize);
    reach();
  }

  function put(data: any) {
    sentAt = Date.now();
    return transport.send(data);
  }

  function write(message: any) {
    const data = protocol.writeMessage(message);
    return replay && message.type < MessageType.Ping ? replay._send(data) : put(data);
  }

  // Armed anew by all that arrives: in hidden tabs browsers delay timers that were set by timers, by a minute
  // and more, but not those that were set by the network.
  // The first one goes out at once: a server minds a client's silence only after that.
  function armPing() {
    const interval = connection.keepAliveIntervalInMilliseconds;
    clearTimeout(pingTimer);
    pingTimer = setTimeout(during(function () {
      quietly(write({ type: MessageType.Ping }));
      armPing();
    }), Math.min(interval, sentAt + interval - Date.now()));
  }

  // Not in the caller's turn: it is to have the link before the link has news.
  resolved().then(during(function () {
    if (settings.skipNegotiation) {
      offers = [];
      connect('WebSockets', { _url: connection.baseUrl });
    } else tryNext();
  }));

  return {
    _send: write,
    _close: close,
  };
}
