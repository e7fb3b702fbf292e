import { AbortError } from './errors';
import { openLink } from './link';
import { noop } from './platform';
import { P, resolved } from './promise';
import { replayBuffer } from './replay';
import { whenReady } from './retry';
import { Subject } from './subject';
import { Level, Message } from './wire';

// SignalR's defaults: a server that misses two pings is gone.
const SERVER_TIMEOUT = 30000;
const KEEP_ALIVE_INTERVAL = 15000;

const CLOSED = 'The connection was closed.';

/** What the application holds. It lives through many links, one at a time. */
export function HubConnection(this: any, settings: any) {
  const self = this;
  const protocol = settings.withHubProtocol;
  const policy = settings._policy;
  // Without a prototype, for a server may name its method "constructor".
  const methods = Object.create(null);
  let calls = Object.create(null);
  let nextId = 0;
  let link: any;
  let replay: any;
  let starting: any;
  let stopping: any;
  let calloff: any;
  let retries = 0;
  let lostAt = 0;

  self.state = 'Disconnected';
  self.connectionId = self.transport = null;
  self.attempts = [];
  self.serverTimeoutInMilliseconds = settings.withServerTimeout || SERVER_TIMEOUT;
  self.keepAliveIntervalInMilliseconds = settings.withKeepAliveInterval || KEEP_ALIVE_INTERVAL;

  Object.defineProperty(self, 'baseUrl', {
    get: function () { return settings._url; },
    set: function (url) {
      need(/^Dis.*ted|^Rec/, 'change the url');
      settings._url = url;
    },
  });

  self.start = function () {
    return new P(function (resolve, reject) {
      need(/^Dis.*ted/, 'start');
      self.state = 'Connecting';
      starting = { _resolve: resolve, _reject: reject };
      lostAt = Date.now();
      open();
    });
  };

  /** Resolves when the connection is over, whatever it was doing; a pending start is rejected. */
  self.stop = function () {
    if (self.state === 'Disconnected') stopping = 0;
    else if (self.state !== 'Disconnecting') {
      if (self.state === 'Connected') quietly(link._send(protocol.writeMessage({ type: Message.Close })));
      self.state = 'Disconnecting';
      if (calloff) calloff();
      stopping = quietly(link && link._close()).then(function () { finish(); });
    }
    return resolved(stopping);
  };

  self.send = function () {
    return begin(Message.Invocation, arguments)._sent;
  };

  /** The promise has a `cancel` beside: it rejects at once, and the server is told. */
  self.invoke = function () {
    const args = arguments;
    let call: any;
    let cancel: any;
    const promise: any = new P(function (resolve, reject) {
      cancel = reject;
      call = begin(Message.Invocation, args, function (message: any, error: any) {
        if (error) reject(error);
        else resolve(message.result);
      });
    });
    promise.cancel = function () {
      cancel(new AbortError());
      call._cancel();
    };
    return promise;
  };

  self.stream = function () {
    const subject = new (Subject as any)();
    subject.cancelCallback = begin(Message.StreamInvocation, arguments, function (message: any, error: any) {
      if (error) subject.error(error);
      else if (message.type === Message.Completion) subject.complete();
      else subject.next(message.item);
    })._cancel;
    return subject;
  };

  /** Names match without regard to case. Gives what undoes it. */
  self.on = function (name: string, handler: any) {
    const handlers = handlersOf(name);
    if (handler && handlers.indexOf(handler) < 0) handlers.push(handler);
    return function () { self.off(name, handler); };
  };

  /** Without a handler, removes all of that name. */
  self.off = function (name: string, handler?: any) {
    methods[name.toLowerCase()] = handlersOf(name).filter(function (other: any) { return handler && other !== handler; });
  };

  const tellClose = event('onclose');
  const tellReconnecting = event('onreconnecting');
  const tellReconnected = event('onreconnected');

  function event(name: string) {
    const callbacks: any[] = [];
    self[name] = function (callback: any) {
      if (callback) callbacks.push(callback);
    };
    return function (value: any) {
      callbacks.slice().forEach(function (callback) { guard(name, callback, value); });
    };
  }

  function need(states: RegExp, act: string) {
    if (!states.test(self.state)) throw Error('Cannot ' + act + ": the connection is in the '" + self.state + "' state.");
  }

  /** Calls the application, whose mistakes must neither end the connection nor vanish. */
  function guard(name: string, callback: any, value: any, other?: any) {
    try {
      callback.call(self, value, other);
    } catch (error) {
      complain(name, error);
    }
  }

  function complain(name: string, error: any) {
    log(Level.Error, "A callback of '" + name + "' threw: " + error);
  }

  function log(level: number, message: string) {
    settings._logger.log(level, message);
  }

  function handlersOf(name: string): any[] {
    name = name.toLowerCase();
    return methods[name] || (methods[name] = []);
  }

  function open() {
    calloff = null;
    link = openLink(self, settings, {
      _onopen: function (isStateful: boolean) {
        const told = starting;
        const here = link;
        starting = null;
        retries = 0;
        self.state = 'Connected';
        replay = isStateful && replayBuffer(protocol, function (data) { return quietly(here._send(data)); }, settings.withStatefulReconnect.bufferSize);
        if (told) told._resolve();
        else tellReconnected(self.connectionId);
      },
      _onmessage: receive,
      _onlost: function () { replay._lost(); },
      _onresumed: function () { replay._resume(); },
      _onend: ended,
    });
  }

  /** The link is gone and nobody here asked for it. */
  function ended(error: any) {
    let delay: any = null;
    link = null;
    if (self.state === 'Connected') {
      forget(error);
      if (policy) {
        lostAt = Date.now();
        self.state = 'Reconnecting';
        tellReconnecting(error);
      }
    }
    // A callback may have called stop; then all is under way.
    if (self.state === 'Disconnecting' || self.state === 'Disconnected') return;
    if (self.state === 'Reconnecting' || (starting && policy && settings._options.retryStart)) {
      guard('retry policy', function () {
        delay = policy.nextRetryDelayInMilliseconds({
          previousRetryCount: retries++,
          elapsedMilliseconds: Date.now() - lostAt,
          retryReason: error || Error(CLOSED),
        });
      }, 0);
    }
    if (delay === null) finish(error);
    else calloff = whenReady(delay, open);
  }

  /** The one way back to Disconnected. A connection that never started has no close to report. */
  function finish(error?: any) {
    const told = starting;
    starting = link = null;
    retries = 0;
    forget(error);
    self.state = 'Disconnected';
    if (told) told._reject(error || new AbortError(CLOSED));
    else tellClose(error);
  }

  /** Drops what belonged to the link: its names, and the calls that nobody will answer now. */
  function forget(error: any) {
    const pending = calls;
    error = error || Error(CLOSED);
    calls = Object.create(null);
    self.connectionId = self.transport = null;
    if (replay) replay._drop(error);
    replay = null;
    for (const id in pending) guard(id, pending[id], {}, error);
  }

  function write(message: any): Promise<any> {
    return new P(function (resolve) {
      need(/^Connected/, 'send');
      resolve(replay ? replay._send(message) : link._send(protocol.writeMessage(message)));
    });
  }

  /** Sends a call; arguments that are streams go their own way, item by item. */
  function begin(type: number, args: any, callback?: any) {
    const here = link;
    const streams: any[] = [];
    const message: any = { type: type, target: args[0], arguments: [] };
    for (let i = 1; i < args.length; i++) {
      (args[i] && args[i].subscribe ? streams : message.arguments).push(args[i]);
    }
    if (streams.length) message.streamIds = streams.map(function () { return String(nextId++); });
    const id = String(nextId++);
    if (callback) {
      message.invocationId = id;
      calls[id] = callback;
    }
    const sent = write(message);
    if (callback) sent.then(null, function (error) { settle({ invocationId: id }, error); });

    streams.forEach(function (stream, index) {
      function say(what: any) {
        what.invocationId = message.streamIds[index];
        // On another link nobody waits for the rest of it.
        if (here === link) quietly(write(what));
      }
      stream.subscribe({
        next: function (item: any) { say({ type: Message.StreamItem, item: item }); },
        error: function (error: any) { say({ type: Message.Completion, error: String((error && error.message) || error) }); },
        complete: function () { say({ type: Message.Completion }); },
      });
    });

    return {
      _sent: sent,
      _cancel: function () {
        if (!calls[id]) return;
        delete calls[id];
        quietly(write({ type: Message.CancelInvocation, invocationId: id }));
      },
    };
  }

  function receive(message: any) {
    const type = message.type;
    if (replay && !replay._accepts(message)) return;
    if (type === Message.Invocation) answer(message);
    else if (type === Message.StreamItem || type === Message.Completion) settle(message, message.error && Error(message.error));
    else if (type === Message.Close) {
      const error = message.error && Error('Server returned an error on close: ' + message.error);
      quietly(link._close());
      if (message.allowReconnect) ended(error);
      else finish(error);
    }
  }

  function settle(message: any, error?: any) {
    const id = message.invocationId;
    const call = calls[id];
    if (message.type !== Message.StreamItem) delete calls[id];
    if (call) guard(id, call, message, error);
  }

  /** Calls the handlers, all at once, and gives the server their one answer where it asked for one. */
  function answer(message: any) {
    const here = link;
    const name = message.target.toLowerCase();
    const results: any[] = [];
    // Known from now on: this is said once.
    if (!methods[name]) log(Level.Warning, "No client method with the name '" + name + "' found.");
    const handlers = handlersOf(name).slice();
    let left = handlers.length;
    let failure: any;

    function done() {
      if (left-- || !message.invocationId || here !== link) return;
      const completion: any = { type: Message.Completion, invocationId: message.invocationId };
      if (!failure && results.length === 1) completion.result = results[0];
      else completion.error = failure || (results.length ? 'Client provided multiple results.' : "Client didn't provide a result.");
      quietly(write(completion));
    }

    handlers.forEach(function (handler) {
      new P(function (resolve) { resolve(handler.apply(self, message.arguments)); }).then(function (value) {
        if (value !== undefined) results.push(value);
      }, function (error) {
        failure = String(error);
        complain(name, error);
      }).then(done);
    });
    done();
  }
}

/** For promises whose failure is seen elsewhere. */
function quietly(promise: any): Promise<any> {
  return resolved(promise).then(null, noop);
}
