/*
 * A raw connection to Hubwire from a page, over any transport, in ES5 and without a library:
 *
 *   var connection = raw.connect('/echo', 'LongPolling', {
 *     onopen: function () {},
 *     onmessage: function (data) {},  // a string or an ArrayBuffer
 *     onclose: function (how) {}      // once, in words
 *   });
 *   connection.send('text');          // or an ArrayBuffer
 *   connection.close();
 *
 * 'WebSocket' is a bare one, without negotiation; the other names are those that negotiation offers.
 */
var raw = (function () {
  'use strict';

  // How long a short poll waits before it asks again: less while something comes, more while nothing does.
  var RHYTHM = [0, 50, 100, 200, 400, 800];

  function connect(url, transport, on) {
    var connection = { carrier: null, over: false, send: send, close: close };

    function open(address) {
      if (!connection.over) connection.carrier = CARRIERS[transport](address, events);
    }

    // What a carrier still has to say once the connection is over is nobody's business.
    var events = {
      onopen: function () { if (!connection.over) on.onopen(); },
      onmessage: function (data) { if (!connection.over) on.onmessage(data); },
      onclose: function (how) {
        if (connection.over) return;
        connection.over = true;
        on.onclose(how);
      }
    };

    function send(data) {
      connection.carrier.send(data);
    }

    function close() {
      if (connection.carrier) connection.carrier.close();
      else events.onclose('given up');
    }

    if (transport === 'WebSocket') open(url);
    else negotiate(url, transport, open, events.onclose);
    return connection;
  }

  function negotiate(url, transport, open, onclose) {
    // Without `useAcks`, nothing is offered that SignalR does not know.
    request('POST', url + '/negotiate?negotiateVersion=1&useAcks=true', null, function (xhr) {
      if (xhr.status !== 200) return onclose('negotiation was ' + answered(xhr));
      var answer = JSON.parse(xhr.responseText);
      var isOffered = answer.availableTransports.some(function (offer) { return offer.transport === transport; });
      if (isOffered) open(url + '?id=' + encodeURIComponent(answer.connectionToken));
      else onclose('the server does not offer ' + transport);
    });
  }

  function webSocket(url, events) {
    var socket = new WebSocket(absolute(url).replace(/^http/, 'ws'));
    socket.binaryType = 'arraybuffer';
    socket.onopen = events.onopen;
    socket.onmessage = function (event) { events.onmessage(event.data); };
    socket.onclose = function (event) {
      events.onclose('code ' + event.code + (event.reason ? ': ' + event.reason : ''));
    };
    return {
      send: function (data) { socket.send(data); },
      close: function () { socket.close(1000); }
    };
  }

  function eventStream(url, events) {
    var stream = new EventSource(url);
    function end(how) {
      stream.close();
      events.onclose(how);
    }
    stream.onopen = events.onopen;
    stream.onmessage = function (event) { events.onmessage(event.data); };
    // The browser would come back with a token that is used up.
    stream.onerror = function () { end('the stream ended'); };
    return {
      send: posting(url),
      close: function () { end('the stream was left'); }
    };
  }

  function longPolling(url, events) {
    return polling(url, events, function () { return 0; });
  }

  function shortPolling(url, events) {
    return polling(url + '&transport=shortPolling', events, function (idle) {
      return RHYTHM[Math.min(idle, RHYTHM.length - 1)];
    });
  }

  // The first answer says that the connection is open, each further one holds a message or nothing.
  function polling(url, events, pause) {
    var idle = 0;
    var isOpen = false;
    var isOver = false;
    var pending = null;
    var timer = null;

    function poll() {
      pending = request('GET', url, null, function (xhr) {
        if (isOver) return;
        if (xhr.status !== 200) return end(xhr.status === 204 ? 'the server ended it' : answered(xhr));
        var hasCome = take(xhr);
        idle = hasCome ? 0 : idle + 1;
        timer = setTimeout(poll, pause(idle));
      });
    }

    function take(xhr) {
      var data = xhr.response;
      var hasCome = isOpen && (data.byteLength || data.length) > 0;
      if (!isOpen) events.onopen();
      else if (hasCome) events.onmessage(data);
      isOpen = true;
      return hasCome;
    }

    function end(how) {
      isOver = true;
      events.onclose(how);
    }

    poll();
    return {
      send: posting(url),
      close: function () {
        isOver = true;
        clearTimeout(timer);
        pending.abort();
        request('DELETE', url, null, function (xhr) { end('DELETE was ' + answered(xhr)); });
      }
    };
  }

  // One POST at a time, or their order would be the network's choice. One that fails ends the connection on the server's side, and is heard of there.
  function posting(url) {
    var waiting = [];
    function next() {
      request('POST', url, waiting[0], function () {
        waiting.shift();
        if (waiting.length) next();
      });
    }
    return function (data) {
      waiting.push(data);
      if (waiting.length === 1) next();
    };
  }

  function request(method, url, body, done) {
    var xhr = new XMLHttpRequest();
    xhr.open(method, url);
    if (body instanceof ArrayBuffer) xhr.setRequestHeader('Content-Type', 'application/octet-stream');
    xhr.onreadystatechange = function () {
      // The last moment to choose how the body is read, and the first at which its type is known.
      if (xhr.readyState === 2) xhr.responseType = isBinary(xhr) ? 'arraybuffer' : 'text';
      if (xhr.readyState === 4) done(xhr);
    };
    xhr.send(body);
    return xhr;
  }

  function isBinary(xhr) {
    return /^application\/octet-stream/.test(xhr.getResponseHeader('Content-Type'));
  }

  function answered(xhr) {
    return xhr.status ? 'answered ' + xhr.status : 'not answered';
  }

  function absolute(url) {
    var link = document.createElement('a');
    link.href = url;
    return link.href;
  }

  var CARRIERS = {
    WebSocket: webSocket,
    WebSockets: webSocket,
    ServerSentEvents: eventStream,
    LongPolling: longPolling,
    ShortPolling: shortPolling
  };

  return { connect: connect };
})();
