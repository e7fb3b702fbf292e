import { AbortError, CLOSED } from './errors';
import { LogLevel, MessageType } from './hubwire';
import { openLink } from './link';
import { loggerOf } from './logging';
import { absolute, assign, each, noop } from './platform';
import { P, quietly, resolved } from './promise';
import { delayOf, whenReady } from './retry';
import { Subject } from './subject';

// SignalR's defaults: a server that misses two pings is gone.
const SERVER_TIMEOUT = 30000;
const KEEP_ALIVE_INTERVAL = 15000;

/** What the application holds. It lives through many links, one at a time. */
export function HubConnection(this: any, settings: any) {
  const self = this;
  const policy = settings.withAutomaticReconnect;
  const logger: any = (settings._logger = loggerOf(settings.logger));
  const listeners: any = {};
  // Which function is called for which name: pairs, few enough to be looked through.
  let handlers: any[] = [];
  // Who waits for an answer, by the id of the call: told by `next`, `complete` and `error`.
  let calls: any = {};
  let nextId = 0;
  let link: any;
  let starting: any;
  let stopping = resolved();
  let calloff = noop;
  let retries = 0;
  let lostAt = 0;

  assign(self, {
    baseUrl: absolute(settings._url),
    state: 'Disconnected',
    connectionId: null,
    transport: null,
    attempts: [],
    serverTimeoutInMilliseconds: settings.withServerTimeout || SERVER_TIMEOUT,
    keepAliveIntervalInMilliseconds: settings.withKeepAliveInterval || KEEP_ALIVE_INTERVAL,

    start: function () {
      // React's StrictMode stops what it just started, and starts it again in the same turn.
      if (self.state === 'Disconnecting') return stopping.then(self.start);
      return new P(function (resolve, reject) {
        need('Disconnected');
        starting = [resolve, reject];
        leave('Connecting');
        open();
      });
    },

    /** Resolves when the connection is over, whatever it was doing; a pending start is rejected. */
    stop: function () {
      // Neither Disconnected nor Disconnecting.
      if (self.state[0] !== 'D') {
        say({ type: MessageType.Close });
        self.state = 'Disconnecting';
        calloff();
        stopping = resolved(link && link._close()).then(function () { ended(undefined, 1); });
      }
      return stopping;
    },

    send: function () {
      return begin(MessageType.Invocation, arguments);
    },

    /** The promise has a `cancel` beside: it rejects at once, and the server is told. */
    invoke: function () {
      let caller: any;
      const promise: any = new P(function (resolve, reject) { caller = { complete: resolve, error: reject }; });
      const call = begin(MessageType.Invocation, arguments, caller);
      promise.cancel = function () {
        caller.error(new AbortError());
        call._cancel();
      };
      return promise;
    },

    stream: function () {
      const subject = new (Subject as any)();
      subject._cancel = begin(MessageType.StreamInvocation, arguments, subject)._cancel;
      return subject;
    },

    /** Names match without regard to case. Gives what undoes it. */
    on: function (name: string, handler: any) {
      function undo() { self.off(name, handler); }
      if (handler) {
        undo();
        handlers.push([name.toLowerCase(), handler]);
      }
      return undo;
    },

    /** Without a handler, removes all of that name. */
    off: function (name: string, handler?: any) {
      handlers = handlers.filter(function (pair) { return pair[0] !== name.toLowerCase() || (handler && pair[1] !== handler); });
    },
  });

  each('onclose onreconnecting onreconnected', function (name) {
    const callbacks: any[] = (listeners[name] = []);
    self[name] = function (callback: any) {
      if (callback) callbacks.push(callback);
    };
  });

  function tell(name: string, value: any) {
    listeners[name].forEach(function (callback: any) { guard(callback, 'call', self, value); });
  }

  function need(state: string) {
    if (self.state !== state) throw Error('Connection is ' + self.state);
  }

  /** Calls the application, whose mistakes must neither end the connection nor vanish. */
  function guard(target: any, act: string, value?: any, other?: any) {
    try {
      return target[act](value, other);
    } catch (error) {
      complain(error);
    }
  }

  function complain(error: any) {
    logger.log(LogLevel.Error, (error && error.stack) || error);
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
    const reason = error || new AbortError(CLOSED);
    let delay: any;
    link = null;
    calls = {};
    self.connectionId = self.transport = null;
    for (const id in pending) guard(pending[id], 'error', reason);
    if (policy && !isFinal && (!told || settings.retryStart)) {
      if (self.state === 'Connected') {
        leave('Reconnecting');
        tell('onreconnecting', error);
      }
      delay = policy.nextRetryDelayInMilliseconds ? guard(policy, 'nextRetryDelayInMilliseconds', {
        previousRetryCount: retries,
        elapsedMilliseconds: Date.now() - lostAt,
        retryReason: reason,
      }) : delayOf(policy, retries);
      retries++;
      // A callback may have called stop; then all is under way.
      if (self.state[0] === 'D') return;
    }
    if (parseFloat(delay) >= 0) calloff = whenReady(delay, open);
    else {
      starting = 0;
      self.state = 'Disconnected';
      // A connection that never started has no close to report.
      if (told) told[1](reason);
      else tell('onclose', error);
    }
  }

  function write(message: any): Promise<any> {
    return new P(function (resolve) {
      need('Connected');
      resolve(link._send(message));
    });
  }

  function say(message: any) {
    quietly(write(message));
  }

  /** Sends a call; arguments that are streams go their own way, item by item. */
  function begin(type: number, args: any, caller?: any) {
    const here = link;
    const streams: any[] = [];
    const id = '' + nextId++;
    const message: any = { type: type, target: args[0], arguments: [], invocationId: caller && id };
    [].slice.call(args, 1).forEach(function (arg: any) {
      (arg && arg.subscribe ? streams : message.arguments).push(arg);
    });
    if (streams.length) message.streamIds = streams.map(function () { return '' + nextId++; });
    const sent: any = write(message);
    if (caller) {
      calls[id] = caller;
      sent.catch(function (error: any) { settle(id, 'error', error); });
    }

    streams.forEach(function (stream, index) {
      function pass(type: number, item?: any, error?: any) {
        // On another link nobody waits for the rest of it.
        if (here === link) say({ type: type, invocationId: message.streamIds[index], item: item, error: error });
      }
      stream.subscribe({
        next: function (item: any) { pass(MessageType.StreamItem, item); },
        error: function (error: any) { pass(MessageType.Completion, undefined, '' + ((error && error.message) || error)); },
        complete: function () { pass(MessageType.Completion); },
      });
    });

    sent._cancel = function () {
      if (!calls[id]) return;
      delete calls[id];
      say({ type: MessageType.CancelInvocation, invocationId: id });
    };
    return sent;
  }

  function receive(message: any) {
    const id = message.invocationId;
    const error = message.error ? Error(message.error) : undefined;
    if (message.type === MessageType.Invocation) answer(message);
    else if (message.type === MessageType.Close) {
      link._close(error);
      ended(error, !message.allowReconnect);
    } else if (message.type === MessageType.StreamItem) settle(id, 'next', message.item);
    else settle(id, error ? 'error' : 'complete', error || message.result);
  }

  function settle(id: string, act: string, value: any) {
    const caller = calls[id];
    if (act !== 'next') delete calls[id];
    if (caller) guard(caller, act, value);
  }

  /** Calls the handlers, all at once, and gives the server their one answer where it asked for one. */
  function answer(message: any) {
    const here = link;
    const name = message.target.toLowerCase();
    const results: any[] = [];
    const pairs = handlers.filter(function (pair) { return pair[0] === name; });
    let done = resolved();
    let failure: any;

    if (!pairs.length) {
      logger.log(LogLevel.Warning, 'No client method ' + name);
      // This is said once.
      self.on(name, noop);
    }
    pairs.forEach(function (pair) {
      const outcome = new P(function (resolve) { resolve(pair[1].apply(self, message.arguments)); }).then(function (value) {
        if (value !== undefined) results.push(value);
      }, function (error) {
        failure = '' + error;
        complain(error);
      });
      done = done.then(function () { return outcome; });
    });
    if (message.invocationId) {
      done.then(function () {
        if (results.length !== 1) failure = failure || (results.length ? results.length + ' results' : "Client didn't provide a result.");
        if (here === link) say({ type: MessageType.Completion, invocationId: message.invocationId, error: failure, result: failure ? undefined : results[0] });
      });
    }
  }
}
