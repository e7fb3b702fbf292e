import { AbortError, CLOSED } from './errors';
import { openLink } from './link';
import { loggerOf } from './logging';
import { absolute, each, noop } from './platform';
import { P, quietly, resolved } from './promise';
import { policyOf, whenReady } from './retry';
import { Subject } from './subject';
import { Level, Message } from './wire';

// SignalR's defaults: a server that misses two pings is gone.
const SERVER_TIMEOUT = 30000;
const KEEP_ALIVE_INTERVAL = 15000;

/** What the application holds. It lives through many links, one at a time. */
export function HubConnection(this: any, settings: any) {
  const self = this;
  const policy = policyOf(settings.withAutomaticReconnect);
  const logger: any = (settings._logger = loggerOf(settings.logger === undefined ? settings.configureLogging : settings.logger));
  // Without a prototype, for a server may name its method "constructor".
  const methods = Object.create(null);
  const listeners: any = {};
  // Who waits for an answer, by the id of the call: told by `next`, `complete` and `error`.
  let calls: any = {};
  let nextId = 0;
  let link: any;
  let starting: any;
  let stopping = resolved();
  let calloff = noop;
  let retries = 0;
  let lostAt = 0;

  self.baseUrl = absolute(settings._url);
  self.state = 'Disconnected';
  self.connectionId = self.transport = null;
  self.attempts = [];
  self.serverTimeoutInMilliseconds = settings.withServerTimeout || SERVER_TIMEOUT;
  self.keepAliveIntervalInMilliseconds = settings.withKeepAliveInterval || KEEP_ALIVE_INTERVAL;

  self.start = function () {
    return new P(function (resolve, reject) {
      need('Disconnected', 'start a HubConnection that is');
      starting = [resolve, reject];
      leave('Connecting');
      open();
    });
  };

  /** Resolves when the connection is over, whatever it was doing; a pending start is rejected. */
  self.stop = function () {
    if (!isOver()) {
      quietly(write({ type: Message.Close }));
      self.state = 'Disconnecting';
      calloff();
      stopping = resolved(link && link._close()).then(function () { ended(undefined, 1); });
    }
    return stopping;
  };

  self.send = function () {
    return begin(Message.Invocation, arguments);
  };

  /** The promise has a `cancel` beside: it rejects at once, and the server is told. */
  self.invoke = function () {
    let caller: any;
    const promise: any = new P(function (resolve, reject) { caller = { complete: resolve, error: reject }; });
    const call = begin(Message.Invocation, arguments, caller);
    promise.cancel = function () {
      caller.error(new AbortError());
      call._cancel();
    };
    return promise;
  };

  self.stream = function () {
    const subject = new (Subject as any)();
    subject.cancelCallback = begin(Message.StreamInvocation, arguments, subject)._cancel;
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

  each('onclose onreconnecting onreconnected', function (name) {
    const callbacks: any[] = (listeners[name] = []);
    self[name] = function (callback: any) {
      if (callback) callbacks.push(callback);
    };
  });

  function tell(name: string, value: any) {
    listeners[name].slice().forEach(function (callback: any) { guard(name, callback, 'call', self, value); });
  }

  function isOver() {
    return /^Dis/.test(self.state);
  }

  function need(state: string, act: string) {
    if (self.state !== state) throw Error('Cannot ' + act + " not in the '" + state + "' State.");
  }

  /** Calls the application, whose mistakes must neither end the connection nor vanish. */
  function guard(name: string, target: any, act: string, value?: any, other?: any) {
    try {
      return target[act](value, other);
    } catch (error) {
      complain(name, error);
    }
  }

  function complain(name: string, error: any) {
    logger.log(Level.Error, "A callback of '" + name + "' threw: " + error);
  }

  function handlersOf(name: string): any[] {
    name = name.toLowerCase();
    return methods[name] || (methods[name] = []);
  }

  function leave(state: string) {
    self.state = state;
    lostAt = Date.now();
    retries = 0;
  }

  function open() {
    link = openLink(self, settings, function () {
      const told = starting;
      starting = 0;
      self.state = 'Connected';
      if (told) told[0]();
      else tell('onreconnected', self.connectionId);
    }, receive, ended);
  }

  /** The link is gone. Where that is not final, and the policy gives a delay, there will be another one. */
  function ended(error?: any, isFinal?: any) {
    const pending = calls;
    const told = starting;
    let delay: any;
    if (self.state === 'Disconnected') return;
    link = null;
    calls = {};
    self.connectionId = self.transport = null;
    for (const id in pending) guard(id, pending[id], 'error', error || Error(CLOSED));
    if (policy && !isFinal && (!told || settings.retryStart)) {
      if (self.state === 'Connected') {
        leave('Reconnecting');
        tell('onreconnecting', error);
      }
      // A callback may have called stop; then all is under way.
      if (isOver()) return;
      delay = guard('withAutomaticReconnect', policy, 'nextRetryDelayInMilliseconds', {
        previousRetryCount: retries++,
        elapsedMilliseconds: Date.now() - lostAt,
        retryReason: error || Error(CLOSED),
      });
    }
    if (delay != null) calloff = whenReady(delay, open);
    else {
      starting = 0;
      self.state = 'Disconnected';
      // A connection that never started has no close to report.
      if (told) told[1](error || new AbortError(CLOSED));
      else tell('onclose', error);
    }
  }

  function write(message: any): Promise<any> {
    return new P(function (resolve) {
      need('Connected', 'send data if the connection is');
      resolve(link._send(message));
    });
  }

  /** Sends a call; arguments that are streams go their own way, item by item. */
  function begin(type: number, args: any, caller?: any) {
    const here = link;
    const streams: any[] = [];
    const id = '' + nextId++;
    const message: any = { type: type, target: args[0], arguments: [], invocationId: caller && id };
    for (let i = 1; i < args.length; i++) {
      (args[i] && args[i].subscribe ? streams : message.arguments).push(args[i]);
    }
    if (streams.length) message.streamIds = streams.map(function () { return '' + nextId++; });
    const sent: any = write(message);
    if (caller) {
      calls[id] = caller;
      sent.catch(function (error: any) { settle(id, 'error', error); });
    }

    streams.forEach(function (stream, index) {
      function say(type: number, item?: any, error?: any) {
        // On another link nobody waits for the rest of it.
        if (here === link) quietly(write({ type: type, invocationId: message.streamIds[index], item: item, error: error }));
      }
      stream.subscribe({
        next: function (item: any) { say(Message.StreamItem, item); },
        error: function (error: any) { say(Message.Completion, undefined, '' + ((error && error.message) || error)); },
        complete: function () { say(Message.Completion); },
      });
    });

    sent._cancel = function () {
      if (!calls[id]) return;
      delete calls[id];
      quietly(write({ type: Message.CancelInvocation, invocationId: id }));
    };
    return sent;
  }

  function receive(message: any) {
    const id = message.invocationId;
    const error = message.error ? Error(message.error) : undefined;
    if (message.type === Message.Invocation) answer(message);
    else if (message.type === Message.Close) {
      if (error) error.message = 'Server returned an error on close: ' + message.error;
      link._close(error);
      ended(error, !message.allowReconnect);
    } else if (message.type === Message.StreamItem) settle(id, 'next', message.item);
    else if (error) settle(id, 'error', error);
    else settle(id, 'complete', message.result);
  }

  function settle(id: string, act: string, value: any) {
    const caller = calls[id];
    if (act !== 'next') delete calls[id];
    if (caller) guard(id, caller, act, value);
  }

  /** Calls the handlers, all at once, and gives the server their one answer where it asked for one. */
  function answer(message: any) {
    const here = link;
    const name = message.target.toLowerCase();
    const results: any[] = [];
    // Known from now on: this is said once.
    if (!methods[name]) logger.log(Level.Warning, "No client method with the name '" + name + "' found.");
    let done = resolved();
    let failure: any;

    handlersOf(name).slice().forEach(function (handler) {
      const outcome = new P(function (resolve) { resolve(handler.apply(self, message.arguments)); }).then(function (value) {
        if (value !== undefined) results.push(value);
      }, function (error) {
        failure = '' + error;
        complain(name, error);
      });
      done = done.then(function () { return outcome; });
    });
    if (message.invocationId) {
      done.then(function () {
        if (results.length !== 1) failure = failure || (results.length ? 'Client provided multiple results.' : "Client didn't provide a result.");
        if (here === link) quietly(write({ type: Message.Completion, invocationId: message.invocationId, error: failure, result: failure ? undefined : results[0] }));
      });
    }
  }
}
