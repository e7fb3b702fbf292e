/*
 * The echo page: one raw connection (raw.js), and a log of all that it does. Read it in this
 * order: the connection, sending, the log.
 */
(function () {
  'use strict';

  // The log forgets its oldest entries, and shows so much of a long message.
  var ENTRIES = 500;
  var SHOWN_CHARACTERS = 1000;
  var SHOWN_BYTES = 64;

  // How near the end counts as reading along, in CSS pixels.
  var NEAR_END = 60;

  // A clean address bar starts with WebSockets; #LongPolling starts with that.
  var wanted = location.hash.slice(1);

  var connection = null;
  var state = 'closed';
  var readingAlong = true;

  function at(id) {
    return document.getElementById(id);
  }

  /* The connection. */

  at('connect-form').onsubmit = function (event) {
    var transport = at('transport').value;
    event.preventDefault();
    show('connecting', transport);
    note('Connecting: ' + at('transport').selectedOptions[0].text);
    connection = raw.connect('/echo', transport, {
      onopen: function () {
        show('open', transport);
        note('Open');
        at('text').focus();
      },
      onmessage: function (data) { addMessage('received', data); },
      onclose: function (how) {
        show('closed', '');
        note('Closed, ' + how);
      }
    });
  };

  at('close').onclick = function () {
    show('closing', at('transport').value);
    connection.close();
  };

  function show(now, carrier) {
    var words = { closed: 'Not connected', closing: 'Closing', connecting: 'Connecting', open: 'Connected' };
    state = now;
    at('state').textContent = words[now];
    at('state').setAttribute('data-state', now);
    at('carrier').textContent = carrier;
    at('connect').disabled = at('transport').disabled = now !== 'closed';
    at('close').disabled = now !== 'open' && now !== 'connecting';
    showComposer();
  }

  /* Sending. */

  at('send-form').onsubmit = function (event) {
    var data = isBinary() ? parseBytes(at('text').value) : at('text').value;
    event.preventDefault();
    if (state !== 'open') return;
    if (data === null) return tell('Bytes are pairs of hexadecimal digits, such as 00 ff 80.');
    addMessage('sent', data);
    connection.send(data);
    at('text').select();
  };

  at('kinds').onchange = function () {
    at('text').value = '';
    showComposer();
    at('text').focus();
  };

  at('text').oninput = at('transport').onchange = showComposer;

  function showComposer() {
    var isTextOnly = at('transport').value === 'ServerSentEvents';
    if (isTextOnly && isBinary()) {
      at('text').value = '';
      kind('text').checked = true;
    }
    kind('binary').disabled = isTextOnly;
    at('text').placeholder = isBinary() ? '00 ff 80' : 'A message';
    at('send').disabled = state !== 'open';
    tell(isTextOnly ? 'An event stream carries text only.' : '');
  }

  function tell(hint) {
    at('hint').textContent = hint;
  }

  function kind(value) {
    return document.querySelector('input[value=' + value + ']');
  }

  function isBinary() {
    return kind('binary').checked;
  }

  function parseBytes(text) {
    var digits = text.replace(/\s/g, '');
    if (!/^([0-9a-f]{2})*$/i.test(digits)) return null;
    var bytes = new Uint8Array(digits.length / 2);
    for (var i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.substr(2 * i, 2), 16);
    return bytes.buffer;
  }

  /* The log. */

  function addMessage(direction, data) {
    var isText = typeof data === 'string';
    var entry = addEntry(direction);
    var bytes = isText ? new Blob([data]).size : data.byteLength;
    entry.setAttribute('data-kind', isText ? 'text' : 'binary');
    entry.appendChild(element('span', 'kind', isText ? 'text' : 'binary'));
    entry.appendChild(element('span', 'size', bytes.toLocaleString('en') + ' B'));
    entry.appendChild(element('span', 'body', isText ? shortened(data) : hex(data)));
    end();
  }

  function note(text) {
    addEntry('note').appendChild(element('span', 'body', text));
    end();
  }

  function addEntry(direction) {
    var arrows = { note: '·', received: '↓', sent: '↑' };
    var entry = element('li', direction);
    var arrow = element('span', 'arrow', arrows[direction]);
    if (direction !== 'note') arrow.title = direction;
    entry.appendChild(element('time', '', timeOf(new Date())));
    entry.appendChild(arrow);
    at('log').appendChild(entry);
    if (at('log').children.length > ENTRIES) at('log').removeChild(at('log').firstChild);
    return entry;
  }

  function end() {
    if (readingAlong) at('log').scrollTop = at('log').scrollHeight;
  }

  at('log').onscroll = function () {
    var log = at('log');
    readingAlong = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  };

  // A phone's keyboard takes away half of the log: keep the end in view.
  window.onresize = end;

  function shortened(text) {
    return text.length > SHOWN_CHARACTERS ? text.slice(0, SHOWN_CHARACTERS) + '…' : text;
  }

  function hex(buffer) {
    var bytes = new Uint8Array(buffer);
    var pairs = [];
    for (var i = 0; i < bytes.length && i < SHOWN_BYTES; i++) {
      pairs.push((bytes[i] < 16 ? '0' : '') + bytes[i].toString(16));
    }
    return pairs.join(' ') + (bytes.length > SHOWN_BYTES ? ' …' : '');
  }

  function timeOf(date) {
    return date.toTimeString().slice(0, 8) + '.' + ('00' + date.getMilliseconds()).slice(-3);
  }

  function element(tag, className, text) {
    var made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  if (at('transport').querySelector('[value="' + wanted + '"]')) at('transport').value = wanted;
  show('closed', '');
})();
