/*
 * Hubwire's client for SignalR hubs: ES5, one file, no dependencies, a global Promise.
 *
 *   HubConnectionBuilder    collects settings
 *   HubConnection           what the application holds: state, calls, reconnecting
 *   openLink                one attempt to reach the server, and the link it becomes
 *
 * A HubConnection lives through many links, one at a time. Its names and its behaviour are those
 * of @microsoft/signalr.
 */
(function (root, factory) {
  if (typeof module === 'object' && module.exports) module.exports = factory();
  else root.hubwire = factory();
})(typeof self === 'undefined' ? this : self, function () {
  'use strict';

  // Ends every hub message, and both halves of the handshake.
  var RECORD_SEPARATOR = '\x1e';

  // Message types of the hub protocol.
  var INVOCATION = 1;
  var COMPLETION = 3;
  var PING = 6;
  var CLOSE = 7;

  // A negotiate answer may point elsewhere; this many hops are a loop. SignalR's number.
  var MAX_REDIRECTS = 100;

  // SignalR's defaults: a server that misses two pings is gone, a short restart is bridged.
  var SERVER_TIMEOUT = 30000;
  var KEEP_ALIVE_INTERVAL = 15000;
  var RECONNECT_DELAYS = [0, 2000, 10000, 30000];

  function HubConnectionBuilder() {
    this._url = null;
    this._options = {};
    this._delays = [];
  }

  // Options: accessTokenFactory (gives a token or a promise of one, asked once per attempt),
  // skipNegotiation, and WebSocket and XMLHttpRequest, to use others than the global ones.
  HubConnectionBuilder.prototype.withUrl = function (url, options) {
    this._url = absolute(url);
    this._options = options || {};
    return this;
  };

  // Milliseconds before each attempt; when they are used up the connection closes.
  HubConnectionBuilder.prototype.withAutomaticReconnect = function (delays) {
    this._delays = (delays || RECONNECT_DELAYS).slice();
    return this;
  };

  HubConnectionBuilder.prototype.build = function () {
    if (!this._url) throw new Error('a connection needs a url: call withUrl before build');
    return new HubConnection(this._url, this._options, this._delays);
  };

  function HubConnection(url, options, delays) {
    this.state = 'Disconnected';
    this.connectionId = null;
    this.transport = null;
    this.serverTimeoutInMilliseconds = SERVER_TIMEOUT;
    this.keepAliveIntervalInMilliseconds = KEEP_ALIVE_INTERVAL;

    this._url = url;
    this._options = options;
    this._delays = delays;
    this._attempts = 0;
    this._retryTimer = null;
    this._link = null;
    this._starting = null;
    this._stopping = null;

    // Without a prototype, for a server may name its method "constructor".
    this._methods = Object.create(null);
    this._pending = Object.create(null);
    this._nextInvocationId = 0;

    this._onclose = [];
    this._onreconnecting = [];
    this._onreconnected = [];
  }

  HubConnection.prototype.start = function () {
    var self = this;
    return new Promise(function (resolve, reject) {
      if (self.state !== 'Disconnected') throw new Error('cannot start: ' + describe(self));
      self.state = 'Connecting';
      self._starting = { resolve: resolve, reject: reject };
      self._open();
    });
  };

  // Resolves when the connection is over, whatever it was doing; a pending start is rejected.
  HubConnection.prototype.stop = function () {
    var self = this;
    if (self.state === 'Disconnected') return Promise.resolve();
    if (self.state === 'Disconnecting') return self._stopping;
    if (self.state === 'Connected') self._link.send({ type: CLOSE });
    if (self._link) self._link.close();
    clearTimeout(self._retryTimer);
    self.state = 'Disconnecting';
    self._stopping = Promise.resolve().then(function () { self._finish(); });
    return self._stopping;
  };

  // Calls a hub method; the promise carries its result, or its error as Error(message).
  HubConnection.prototype.invoke = function (name) {
    var self = this;
    var args = rest(arguments);
    return new Promise(function (resolve, reject) {
      var id = String(self._nextInvocationId++);
      self._write({ type: INVOCATION, invocationId: id, target: name, arguments: args });
      self._pending[id] = { resolve: resolve, reject: reject };
    });
  };

  // Calls a hub method that is not to answer; resolves once the socket has taken the message.
  HubConnection.prototype.send = function (name) {
    var self = this;
    var args = rest(arguments);
    return new Promise(function (resolve) {
      resolve(self._write({ type: INVOCATION, target: name, arguments: args }));
    });
  };

  // Names match without regard to case. What a handler returns, or its promise resolves to, is
  // the answer where the server asked for one.
  HubConnection.prototype.on = function (name, handler) {
    var key = name.toLowerCase();
    var handlers = this._methods[key] || (this._methods[key] = []);
    if (handlers.indexOf(handler) < 0) handlers.push(handler);
  };

  // Without a handler, removes all of that name.
  HubConnection.prototype.off = function (name, handler) {
    var key = name.toLowerCase();
    this._methods[key] = (this._methods[key] || []).filter(function (other) {
      return handler && other !== handler;
    });
  };

  HubConnection.prototype.onclose = function (callback) {
    this._onclose.push(callback);
  };

  HubConnection.prototype.onreconnecting = function (callback) {
    this._onreconnecting.push(callback);
  };

  HubConnection.prototype.onreconnected = function (callback) {
    this._onreconnected.push(callback);
  };

  HubConnection.prototype._open = function () {
    var self = this;
    self._link = openLink(self, {
      onopen: function (connectionId) { self._opened(connectionId); },
      onmessage: function (message) { self._receive(message); },
      onend: function (error) { self._ended(error); }
    });
  };

  HubConnection.prototype._opened = function (connectionId) {
    var starting = this._starting;
    this._starting = null;
    this._attempts = 0;
    this.state = 'Connected';
    this.connectionId = connectionId;
    this.transport = 'WebSockets';
    if (starting) starting.resolve();
    else callEach(this._onreconnected, connectionId);
  };

  // The link is gone and nobody here asked for it.
  HubConnection.prototype._ended = function (error) {
    var self = this;
    self._link = null;
    if (self.state === 'Connected' && self._delays.length) {
      self._forget(error);
      self.state = 'Reconnecting';
      callEach(self._onreconnecting, error);
    }
    // A callback may have called stop; then all is under way.
    if (self.state === 'Disconnecting') return;
    if (self.state === 'Reconnecting' && self._attempts < self._delays.length) {
      self._retryTimer = setTimeout(function () { self._open(); }, self._delays[self._attempts++]);
    } else {
      self._finish(error);
    }
  };

  // The one way back to Disconnected. A connection that never started has no close to report.
  HubConnection.prototype._finish = function (error) {
    var starting = this._starting;
    this._starting = null;
    this._attempts = 0;
    this._link = null;
    this._forget(error);
    this.state = 'Disconnected';
    if (starting) starting.reject(error || new Error('the connection was stopped while starting'));
    else callEach(this._onclose, error);
  };

  // Drops what belonged to the link: its names, and the calls that nobody will answer now.
  HubConnection.prototype._forget = function (error) {
    var pending = this._pending;
    this._pending = Object.create(null);
    this.connectionId = null;
    this.transport = null;
    Object.keys(pending).forEach(function (id) {
      pending[id].reject(error || new Error('the connection closed before the answer came'));
    });
  };

  HubConnection.prototype._write = function (message) {
    if (this.state !== 'Connected') throw new Error('cannot send: ' + describe(this));
    this._link.send(message);
  };

  // A ping has done its work by arriving; types that nobody agreed on are passed over.
  HubConnection.prototype._receive = function (message) {
    if (message.type === INVOCATION) this._answer(message);
    else if (message.type === COMPLETION) this._settle(message);
    else if (message.type === CLOSE) this._dismissed(message);
  };

  HubConnection.prototype._answer = function (message) {
    var self = this;
    var link = self._link;
    var key = message.target.toLowerCase();
    var handlers = self._methods[key];
    if (!handlers) {
      handlers = self._methods[key] = []; // known from now on: this is said once
      report("No client method with the name '" + key + "' found.", 'warn');
    }
    var results = handlers.slice().map(function (handler) {
      return new Promise(function (resolve) { resolve(handler.apply(self, message.arguments)); });
    });

    if (!message.invocationId) {
      results.forEach(function (result) { result.then(null, report); });
      return;
    }

    function complete(outcome) {
      outcome.type = COMPLETION;
      outcome.invocationId = message.invocationId;
      link.send(outcome);
    }

    Promise.all(results).then(function (values) {
      values = values.filter(function (value) { return value !== undefined; });
      // Strings, since the server shall read SignalR's words without an "Error: " before them.
      if (values.length > 1) throw 'Client provided multiple results.';
      if (values.length === 0) throw "Client didn't provide a result.";
      complete({ result: values[0] });
    }).then(null, function (error) {
      complete({ error: String(error) });
    });
  };

  HubConnection.prototype._settle = function (message) {
    var call = this._pending[message.invocationId];
    if (!call) return;
    delete this._pending[message.invocationId];
    if (message.error) call.reject(new Error(message.error));
    else call.resolve(message.result);
  };

  HubConnection.prototype._dismissed = function (message) {
    var error = message.error ? new Error('the server closed: ' + message.error) : undefined;
    this._link.close();
    if (message.allowReconnect) this._ended(error);
    else this._finish(error);
  };

  /*
   * A link goes one way, and any step may be its last:
   *
   *   token -> negotiate -> socket -> handshake -> messages -> ended
   *
   * Every callback of a timer, request or socket goes through `during`, which is deaf once the
   * link has ended, so that a late event of one link never reaches the next. One timer bounds
   * the server's silence at every later step, because some WebSockets neither open nor fail.
   */
  function openLink(connection, events) {
    var options = connection._options;
    var connectionId = null;
    var abort = null;
    var socket = null;
    var handshaken = false;
    var ended = false;
    var unread = '';
    var sentAt = 0;
    var silenceTimer = null;
    var pingTimer = null;

    function during(step) {
      return function (value) {
        if (ended) return;
        try {
          step(value);
        } catch (error) {
          end(error);
        }
      };
    }

    function end(error) {
      if (ended) return;
      close();
      events.onend(error);
    }

    function close() {
      ended = true;
      clearTimeout(silenceTimer);
      clearTimeout(pingTimer);
      if (abort) abort();
      if (socket) socket.close();
    }

    function negotiate(url, token, redirects) {
      abort = post(options, negotiateUrl(url), token, during(function (response) {
        abort = null;
        if (response.status !== 200) throw new Error('negotiate gave status ' + response.status);
        var answer = JSON.parse(response.text);
        if (answer.error) throw new Error(answer.error);
        if (answer.url) {
          if (redirects === MAX_REDIRECTS) throw new Error('negotiate redirected too often');
          negotiate(answer.url, answer.accessToken || token, redirects + 1);
          return;
        }
        if (!(answer.availableTransports || []).some(isTextWebSocket)) {
          throw new Error('the server does not offer WebSockets, all that this client has');
        }
        connectionId = answer.connectionId;
        // In version 0 of negotiate the public id is the token.
        connect(withQuery(url, 'id', answer.connectionToken || connectionId), token);
      }), during(end));
    }

    function connect(url, token) {
      var Socket = options.WebSocket || (typeof WebSocket === 'undefined' ? null : WebSocket);
      if (!Socket) throw new Error('no WebSocket here: pass one in the options of withUrl');
      // A page cannot set headers on a WebSocket.
      if (token) url = withQuery(url, 'access_token', token);
      socket = new Socket(url.replace(/^http/i, 'ws'));
      socket.onopen = during(function () { write({ protocol: 'json', version: 1 }); });
      socket.onmessage = during(function (event) { read(event.data); });
      socket.onerror = during(function (event) {
        end(new Error('the WebSocket failed' + (event.message ? ': ' + event.message : '')));
      });
      socket.onclose = during(function (event) {
        end(new Error('the WebSocket closed with code ' + event.code));
      });
    }

    function write(message) {
      socket.send(JSON.stringify(message) + RECORD_SEPARATOR);
      sentAt = Date.now();
      armPing();
    }

    function read(text) {
      var records = (unread + text).split(RECORD_SEPARATOR);
      unread = records.pop();
      armSilence();
      armPing();
      for (var i = 0; i < records.length && !ended; i++) {
        (handshaken ? events.onmessage : finishHandshake)(JSON.parse(records[i]));
      }
    }

    function finishHandshake(answer) {
      if (answer.error) throw new Error(answer.error);
      handshaken = true;
      // A server minds a client's silence only after its first ping.
      write({ type: PING });
      events.onopen(connectionId);
    }

    function armSilence() {
      var limit = connection.serverTimeoutInMilliseconds;
      clearTimeout(silenceTimer);
      silenceTimer = setTimeout(during(function () {
        end(new Error('the server was silent for ' + limit + ' ms'));
      }), limit);
    }

    // Armed anew by all that arrives: in hidden tabs browsers delay timers that were set by
    // timers, by a minute and more, but not those that were set by the network.
    function armPing() {
      var interval = connection.keepAliveIntervalInMilliseconds;
      var wait = Math.max(0, Math.min(interval, sentAt + interval - Date.now()));
      clearTimeout(pingTimer);
      if (!handshaken) return;
      pingTimer = setTimeout(during(function () { write({ type: PING }); }), wait);
    }

    new Promise(function (resolve) {
      resolve(options.accessTokenFactory && options.accessTokenFactory());
    }).then(during(function (token) {
      // Not earlier: the token may wait for a person to log in.
      armSilence();
      if (options.skipNegotiation) connect(connection._url, token);
      else negotiate(connection._url, token, 0);
    }), during(end));

    return {
      send: function (message) { if (!ended) write(message); },
      close: close
    };
  }

  // Posts nothing, and gives back how to abort. Node has fetch, but no XMLHttpRequest.
  function post(options, url, token, onresponse, onerror) {
    var Request = options.XMLHttpRequest;
    var headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
    if (token) headers.Authorization = 'Bearer ' + token;
    if (!Request && typeof XMLHttpRequest !== 'undefined') Request = XMLHttpRequest;

    if (!Request) {
      var controller = new AbortController();
      var init = { method: 'POST', headers: headers, signal: controller.signal };
      fetch(url, init).then(function (response) {
        return response.text().then(function (text) {
          onresponse({ status: response.status, text: text });
        });
      }).then(null, onerror);
      return function () { controller.abort(); };
    }

    var request = new Request();
    request.open('POST', url, true);
    request.withCredentials = true;
    Object.keys(headers).forEach(function (name) {
      request.setRequestHeader(name, headers[name]);
    });
    request.onload = function () {
      onresponse({ status: request.status, text: request.responseText });
    };
    request.onerror = function () { onerror(new Error('negotiate did not reach the server')); };
    request.send('');
    return function () { request.abort(); };
  }

  function isTextWebSocket(offer) {
    return offer.transport === 'WebSockets' && offer.transferFormats.indexOf('Text') >= 0;
  }

  // A query stays behind the path, and a slash at the path's end is not doubled.
  function negotiateUrl(url) {
    return withQuery(url.replace(/\/?(\?|$)/, '/negotiate$1'), 'negotiateVersion', 1);
  }

  function withQuery(url, name, value) {
    return url + (url.indexOf('?') < 0 ? '?' : '&') + name + '=' + encodeURIComponent(value);
  }

  // Negotiation is HTTP, and WebSocket long refused relative addresses and fragments.
  function absolute(url) {
    url = url.replace(/#.*/, '');
    if (/^(http|ws)s?:/i.test(url)) return url.replace(/^ws/i, 'http');
    if (typeof document === 'undefined') {
      throw new Error("outside of a page a url must be whole: '" + url + "'");
    }
    var anchor = document.createElement('a');
    anchor.href = url;
    return anchor.href;
  }

  function describe(connection) {
    return "the connection is in the state '" + connection.state + "'";
  }

  function rest(args) {
    return Array.prototype.slice.call(args, 1);
  }

  // A callback's mistake must neither end the connection nor vanish.
  function callEach(callbacks, argument) {
    callbacks.slice().forEach(function (callback) {
      try {
        callback(argument);
      } catch (error) {
        report(error);
      }
    });
  }

  function report(error, level) {
    if (typeof console !== 'undefined') console[level || 'error'](error);
  }

  return { HubConnection: HubConnection, HubConnectionBuilder: HubConnectionBuilder };
});
