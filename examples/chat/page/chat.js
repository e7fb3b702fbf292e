/*
 * The chat page: one hub connection, a few elements, no framework. Read it in this order: the
 * connection, joining, the log, the people, the composer. What other people wrote reaches the
 * page through textContent alone, so nothing of it is ever markup.
 */
(function () {
  'use strict';

  // What a room may always be chosen from, next to those where somebody is.
  var ROOMS = ['lobby', 'rust', 'random'];

  // A chat would rather wait than give up: a minute between the last of ten attempts.
  var RECONNECT_DELAYS = [0, 1000, 2000, 5000, 10000, 10000, 30000, 30000, 60000, 60000];

  // Messages of one sender share a group for this long, so that a group has one time.
  var GROUP_SPAN = 5 * 60 * 1000;

  // Without a keystroke for this long one is no longer typing. Others forget it later, in case
  // the word that it is over never comes.
  var TYPING_PAUSE = 3000;
  var TYPING_FORGOTTEN = 8000;

  // How near the end counts as reading along, in CSS pixels.
  var NEAR_END = 80;

  // The characters that are left are counted out when they become few.
  var LEFT_SHOWN = 200;

  var STORED = 'hubwire-chat';

  var connection = new hubwire.HubConnectionBuilder()
    .withUrl('/chat')
    .withAutomaticReconnect(RECONNECT_DELAYS)
    .build();

  var name = '';
  var room = null;
  var joins = 0;
  var waiting = [];
  var own = {};
  var rooms = [];
  var members = [];
  var typists = {};
  var seen = {};
  var last = null;
  var readingAlong = true;
  var typing = false;
  var typingTimer = null;

  function at(id) {
    return document.getElementById(id);
  }

  /* The connection. */

  onRoom('MessageReceived', function (message) {
    stopTyping(message.from.id);
    addMessage(message);
  });

  onRoom('MemberJoined', function (member) {
    if (members.some(function (other) { return other.id === member.id; })) return;
    members.push(member);
    showMembers();
    addNotice(member.name + ' joined');
  });

  onRoom('MemberLeft', function (member) {
    var others = members.filter(function (other) { return other.id !== member.id; });
    if (others.length === members.length) return;
    members = others;
    stopTyping(member.id);
    showMembers();
    addNotice(member.name + ' left');
  });

  onRoom('MemberTyping', function (member, isTyping) {
    stopTyping(member.id);
    if (!isTyping || own[member.id]) return;
    var timer = setTimeout(function () { stopTyping(member.id); }, TYPING_FORGOTTEN);
    typists[member.id] = { name: member.name, timer: timer };
    showTyping();
  });

  // A room is heard before it is seen: what happens while a Join is under way waits until its
  // answer is shown, and counts if it was in the room where we are then.
  function onRoom(event, happened) {
    connection.on(event, function (where, who, what) {
      waiting.push(function () { if (where === room) happened(who, what); });
      catchUp();
    });
  }

  function catchUp() {
    while (!joins && waiting.length) waiting.shift()();
  }

  connection.on('RoomsChanged', showRooms);

  connection.onreconnecting(function () {
    forgetTyping();
    showConnection('Connection lost. Reconnecting…');
  });

  connection.onreconnected(welcome);

  connection.onclose(function () {
    forgetTyping();
    showConnection('Disconnected.');
  });

  function connect() {
    var starting = connection.start();
    showConnection('');
    starting.then(welcome, function () { showConnection('The server cannot be reached.'); });
  }

  // To the server a new connection is a stranger, so the room is joined again.
  function welcome() {
    showConnection('');
    connection.invoke('Rooms').then(showRooms, ignore);
    if (room !== null) join(room, name).then(null, showError);
  }

  function showConnection(trouble) {
    at('state').textContent = connection.state;
    at('state').setAttribute('data-state', connection.state);
    at('transport').textContent = connection.transport || '';
    at('banner-text').textContent = trouble;
    at('banner').hidden = !trouble;
    at('retry').hidden = connection.state !== 'Disconnected';
    at('banner').className = connection.state === 'Disconnected' ? 'over' : '';
    at('join').disabled = connection.state !== 'Connected';
    showComposer();
  }

  at('retry').onclick = connect;

  /* Joining. */

  function join(wanted, as) {
    function over() { joins--; catchUp(); }
    var joined = connection.invoke('Join', wanted, as).then(enter);
    joins++;
    joined.then(over, over);
    return joined;
  }

  function enter(joined) {
    var moved = joined.room !== room;
    room = joined.room;
    name = joined.you.name;
    own[joined.you.id] = true;
    members = joined.members;
    store();
    at('title').textContent = room;
    at('text').setAttribute('placeholder', 'Message ' + room);
    at('error').hidden = true;
    forgetTyping();
    showMembers();
    showRooms(rooms);

    // After a reconnect the log goes on where it stopped, if the server still knows that place.
    if (moved || !joined.history.some(isSeen)) clearLog();
    joined.history.forEach(addMessage);
  }

  at('join-form').onsubmit = function (event) {
    var wanted = at('room').value.trim();
    var as = at('name').value.trim();
    event.preventDefault();
    at('join-error').hidden = true;
    if (!wanted || !as) return;
    join(wanted, as).then(function () {
      document.body.className = '';
      showComposer();
      scrollToEnd();
      at('text').focus();
    }, function (error) { tellError('join-error', error); });
  };

  at('room').oninput = showChoices;

  at('room-form').onsubmit = function (event) {
    var wanted = at('new-room').value.trim();
    event.preventDefault();
    if (!wanted) return;
    at('new-room').value = '';
    move(wanted);
  };

  at('rename').onclick = function () {
    closePanel();
    at('room').value = room;
    showChoices();
    document.body.className = 'outside';
    at('name').focus();
    at('name').select();
  };

  function move(wanted) {
    closePanel();
    if (wanted === room) return;
    tellTyping(false);
    join(wanted, name).then(null, showError);
  }

  // Storage may be full, forbidden or absent; a chat goes on without.
  function store() {
    try {
      localStorage.setItem(STORED, JSON.stringify({ name: name, room: room }));
    } catch (error) { ignore(error); }
  }

  function restore() {
    try {
      var stored = JSON.parse(localStorage.getItem(STORED));
      at('name').value = stored.name;
      at('room').value = stored.room;
    } catch (error) { ignore(error); }
  }

  /* The log. */

  function addMessage(message) {
    if (isSeen(message)) return;
    seen[key(message)] = true;

    var date = new Date(message.at);
    if (!last || last.date.toDateString() !== date.toDateString()) {
      at('log').appendChild(element('div', 'day', dayOf(date)));
      last = null;
    }
    if (!last || last.from !== message.from.id || date - last.date > GROUP_SPAN) {
      last = openGroup(message.from, date);
    }

    var item = element('div', 'message');
    var text = element('span', 'text', message.text);
    var time = element('time', '', date.toTimeString().slice(0, 5));
    text.dir = 'auto';
    time.dateTime = date.toISOString();
    time.title = date.toLocaleString();
    item.appendChild(text);
    item.appendChild(time);
    last.bubbles.appendChild(item);

    if (readingAlong || own[message.from.id]) scrollToEnd();
    else at('newest').hidden = false;
  }

  function openGroup(from, date) {
    var group = element('div', own[from.id] ? 'group own' : 'group');
    var bubbles = element('div', 'bubbles');
    group.appendChild(avatar(from.name));
    group.appendChild(element('div', 'sender', from.name));
    group.appendChild(bubbles);
    at('log').appendChild(group);
    return { from: from.id, date: date, bubbles: bubbles };
  }

  function addNotice(text) {
    at('log').appendChild(element('div', 'notice', text));
    if (last) last.from = null;
    if (readingAlong) scrollToEnd();
  }

  function clearLog() {
    at('log').textContent = '';
    seen = {};
    last = null;
    readingAlong = true;
  }

  // Ids may start anew with the server; together with its time a message is known for sure.
  function key(message) {
    return message.id + '@' + message.at;
  }

  function isSeen(message) {
    return key(message) in seen;
  }

  function scrollToEnd() {
    at('log').scrollTop = at('log').scrollHeight;
    at('newest').hidden = true;
    readingAlong = true;
  }

  at('log').onscroll = function () {
    var log = at('log');
    readingAlong = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    if (readingAlong) at('newest').hidden = true;
  };

  at('newest').onclick = scrollToEnd;

  // A phone's keyboard takes away half of the log: keep the end in view. And a window that has
  // grown wide shows the panel beside the conversation, without a button.
  window.onresize = function () {
    if (readingAlong) scrollToEnd();
    if (!at('people').offsetParent) closePanel();
  };

  function dayOf(date) {
    if (date.toDateString() === new Date().toDateString()) return 'Today';
    return date.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
  }

  /* The people and the rooms. */

  function showMembers() {
    at('members').textContent = '';
    members.forEach(function (member) {
      var item = element('li', 'member');
      item.appendChild(avatar(member.name));
      item.appendChild(element('span', 'label', member.name));
      if (own[member.id]) item.appendChild(element('small', '', 'you'));
      at('members').appendChild(item);
    });
    at('count').textContent = members.length;
  }

  function showRooms(changed) {
    rooms = changed;
    at('rooms').textContent = '';
    offered().forEach(function (offer) {
      var item = element('li');
      var button = roomButton(offer, function () { move(offer.name); });
      if (offer.name === room) button.setAttribute('aria-current', 'true');
      item.appendChild(button);
      at('rooms').appendChild(item);
    });
    showChoices();
  }

  function showChoices() {
    var chosen = at('room').value.trim();
    at('choices').textContent = '';
    offered().forEach(function (offer) {
      var button = roomButton(offer, function () {
        at('room').value = offer.name;
        showChoices();
      });
      button.setAttribute('aria-pressed', String(offer.name === chosen));
      at('choices').appendChild(button);
    });
  }

  function roomButton(offer, onclick) {
    var button = element('button');
    button.type = 'button';
    button.onclick = onclick;
    button.appendChild(element('span', 'label', offer.name));
    if (offer.members) button.appendChild(element('small', '', offer.members));
    return button;
  }

  // The fixed rooms first, in their order, then what else the server knows.
  function offered() {
    var others = rooms.filter(function (known) { return ROOMS.indexOf(known.name) < 0; });
    return ROOMS.map(function (name) {
      return rooms.filter(function (known) { return known.name === name; })[0] || { name: name };
    }).concat(others);
  }

  function avatar(name) {
    var circle = element('span', 'avatar', initials(name));
    var hue = 0;
    for (var i = 0; i < name.length; i++) hue = (hue * 31 + name.charCodeAt(i)) % 360;
    circle.style.setProperty('--hue', hue);
    circle.setAttribute('aria-hidden', 'true');
    return circle;
  }

  // The first character of the first and of the last word; a surrogate pair is one character.
  function initials(name) {
    var parts = name.trim().split(/\s+/);
    return parts.slice(0, 1).concat(parts.slice(1).slice(-1)).map(function (part) {
      return (/^[\uD800-\uDBFF][\uDC00-\uDFFF]|^[\s\S]?/).exec(part)[0].toUpperCase();
    }).join('');
  }

  // On a phone the panel lies over the conversation, which is out of reach meanwhile.
  function showPanel(isOpen) {
    document.body.className = isOpen ? 'panel-open' : '';
    at('people').setAttribute('aria-expanded', String(isOpen));
    at('bar').inert = isOpen;
    at('conversation').inert = isOpen;
    at(isOpen ? 'close' : 'people').focus();
  }

  function closePanel() {
    if (document.body.className === 'panel-open') showPanel(false);
  }

  at('people').onclick = function () { showPanel(true); };
  at('close').onclick = closePanel;
  at('shade').onclick = closePanel;
  document.onkeydown = function (event) { if (event.key === 'Escape') closePanel(); };

  /* The composer. */

  at('say-form').onsubmit = function (event) {
    var text = at('text').value.trim();
    event.preventDefault();
    if (!text || connection.state !== 'Connected') return;
    at('text').value = '';
    tellTyping(false);
    at('error').hidden = true;
    showComposer();
    connection.invoke('Say', text).then(null, function (error) {
      // What was not said is handed back, unless the next message has been begun.
      if (!at('text').value) at('text').value = text;
      showComposer();
      showError(error);
    });
  };

  at('text').onkeydown = function (event) {
    // While a word is being composed, Enter belongs to the input method.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    at('send').click();
  };

  at('text').oninput = function () {
    at('error').hidden = true;
    tellTyping(at('text').value.trim() !== '');
    showComposer();
  };

  function showComposer() {
    var text = at('text');
    var left = Math.max(0, text.maxLength - text.value.length);
    at('send').disabled = !text.value.trim() || connection.state !== 'Connected';
    at('left').textContent = left > LEFT_SHOWN ? '' : left + ' left';
    // Without the two pixels of its border the field would scroll at every height.
    text.style.height = '';
    if (text.value) text.style.height = text.scrollHeight + 2 + 'px';
  }

  function tellTyping(now) {
    clearTimeout(typingTimer);
    if (now) typingTimer = setTimeout(function () { tellTyping(false); }, TYPING_PAUSE);
    if (now === typing || connection.state !== 'Connected') return;
    typing = now;
    connection.send('Typing', now).then(null, ignore);
  }

  function stopTyping(id) {
    if (!typists[id]) return;
    clearTimeout(typists[id].timer);
    delete typists[id];
    showTyping();
  }

  function forgetTyping() {
    Object.keys(typists).forEach(stopTyping);
    typing = false;
  }

  function showTyping() {
    var names = Object.keys(typists).map(function (id) { return typists[id].name; });
    var others = names.length === 2 ? names[1] : names.length - 1 + ' others';
    var who = names.length > 1 ? names[0] + ' and ' + others + ' are' : names[0] + ' is';
    at('typing').textContent = names.length ? who + ' typing…' : '';
  }

  function showError(error) {
    tellError('error', error);
    if (readingAlong) scrollToEnd();
  }

  // The server's own words stand behind a sentence of the protocol.
  function tellError(id, error) {
    var words = error.message.split('HubException: ').pop();
    at(id).textContent = words.charAt(0).toUpperCase() + words.slice(1);
    at(id).hidden = false;
  }

  function element(tag, className, text) {
    var made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // For what the next event of the connection will put right anyway.
  function ignore() {}

  restore();
  showRooms(rooms);
  at('name').focus();
  connect();
})();
