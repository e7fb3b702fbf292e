/* The board's page. What it shows is what the server told: a click asks, and the answer to everyone shows. */
(function () {
  'use strict';

  // A server that restarts is back within seconds. Who comes back later sees to it below.
  var RECONNECT_DELAYS = [0, 1000, 2000, 5000, 10000, 20000];

  var PLACES = ['todo', 'doing', 'done'];
  var NAMES = { todo: 'To do', doing: 'Doing', done: 'Done' };

  // How often the words about what is due are written anew, in milliseconds.
  var DUE_REFRESH = 10000;

  var connection = new hubwire.HubConnectionBuilder()
    .withUrl('/api/live')
    .withAutomaticReconnect(RECONNECT_DELAYS)
    .build();

  var you = null;
  var people = {};
  var tasks = {};
  var cards = {};
  // Ids are never used again, so a change that is heard after its task was removed is known to be late.
  var removed = {};

  function at(id) {
    return document.getElementById(id);
  }

  /* The connection. */

  connection.on('TaskChanged', function (task) { if (learn(task)) flash(cards[task.id]); });
  connection.on('TaskRemoved', forget);
  connection.on('Reminder', remind);

  connection.onreconnecting(function () { showConnection('Connection lost. Reconnecting…'); });
  connection.onreconnected(open);

  // Without an error the server has ended it: this user has signed out, here or elsewhere.
  connection.onclose(function (error) {
    if (!error) location.assign('/sign-in');
    else giveUp(error, 'Disconnected.');
  });

  function connect() {
    var starting = connection.start();
    showConnection('');
    starting.then(open, function (error) { giveUp(error, 'The server cannot be reached.'); });
  }

  // Whoever is no longer signed in is sent to do so by the server.
  function giveUp(error, trouble) {
    if (/ 401$/.test(error.message)) location.reload();
    else showConnection(trouble);
  }

  // Also after a reconnect: what happened meanwhile nobody told.
  function open() {
    showConnection('');
    Object.keys(tasks).forEach(function (id) { tasks[id].heard = false; });
    connection.invoke('Open').then(function (board) {
      you = board.you;
      people = {};
      board.people.forEach(function (person) { people[person.id] = person.name; });
      showPeople();
      var there = {};
      board.tasks.forEach(function (task) { there[task.id] = true; learn(task); });
      // What was heard while the answer was on its way may be newer than the answer.
      Object.keys(tasks).forEach(function (id) {
        if (!there[id] && !tasks[id].heard) forget(Number(id));
      });
      document.body.className = 'open';
    }).then(null, showError);
  }

  function showConnection(trouble) {
    var state = connection.state;
    at('state').textContent = state;
    at('state').setAttribute('data-state', state);
    at('banner-text').textContent = trouble;
    at('banner').hidden = !trouble;
    at('retry').hidden = state !== 'Disconnected';
    showAdd();
  }

  // Somebody looks at the page again, or the network is back.
  function comeBack() {
    if (connection.state === 'Disconnected' && !document.hidden) connect();
  }

  at('retry').onclick = connect;
  document.addEventListener('visibilitychange', comeBack);
  window.addEventListener('online', comeBack);

  /* The tasks. */

  // Takes what is news and gives whether it was: of two changes the later one counts, in whatever order they come.
  function learn(task) {
    var known = tasks[task.id];
    if (removed[task.id] || known && known.version >= task.version) return false;
    task.heard = true;
    tasks[task.id] = task;
    showTask(task);
    return true;
  }

  function forget(id) {
    removed[id] = true;
    delete tasks[id];
    dismiss(id);
    if (!cards[id]) return;
    cards[id].parentNode.removeChild(cards[id]);
    delete cards[id];
    showCounts();
  }

  function showTask(task) {
    var old = cards[task.id];
    var focused = old && old.contains(document.activeElement);
    var card = cards[task.id] = makeCard(task);
    if (old) old.parentNode.removeChild(old);
    // In each column the newest is on top.
    var list = document.querySelector('[data-place="' + task.place + '"] ul');
    var next = Array.prototype.filter.call(list.children, function (other) {
      return Number(other.getAttribute('data-id')) < task.id;
    })[0];
    list.insertBefore(card, next || null);
    if (focused) card.querySelector('button').focus();
    if (task.place === 'done') dismiss(task.id);
    showCounts();
  }

  function makeCard(task) {
    var card = element('li', 'task');
    card.setAttribute('data-id', task.id);
    var title = element('p', 'title', task.title);
    title.dir = 'auto';
    card.appendChild(title);

    var facts = element('div', 'facts');
    facts.appendChild(avatar(task.assignee));
    facts.appendChild(element('span', 'who', task.assignee === you ? 'You' : nameOf(task.assignee)));
    var due = element('time', 'due');
    facts.appendChild(due);
    showDue(due, task);
    card.appendChild(facts);

    var position = PLACES.indexOf(task.place);
    var actions = element('div', 'actions');
    if (position > 0) actions.appendChild(moveButton(task, PLACES[position - 1], '←'));
    if (position < 2) actions.appendChild(moveButton(task, PLACES[position + 1], '→'));
    var remove = actionButton('Remove ' + task.title, '✕', function () { ask('RemoveTask', task.id); });
    remove.className = 'remove';
    actions.appendChild(remove);
    card.appendChild(actions);
    return card;
  }

  function moveButton(task, place, arrow) {
    var move = actionButton('', '', function () { ask('MoveTask', task.id, place); });
    var words = arrow === '→' ? NAMES[place] + ' ' + arrow : arrow + ' ' + NAMES[place];
    move.textContent = words;
    move.setAttribute('aria-label', 'Move ' + task.title + ' to ' + NAMES[place]);
    return move;
  }

  function actionButton(label, text, onclick) {
    var button = element('button', '', text);
    button.type = 'button';
    button.title = label;
    button.setAttribute('aria-label', label);
    button.onclick = onclick;
    return button;
  }

  function showCounts() {
    PLACES.forEach(function (place) {
      var column = document.querySelector('[data-place="' + place + '"]');
      column.querySelector('small').textContent = column.querySelector('ul').children.length;
    });
  }

  function showDue(due, task) {
    var seconds = task.due === null ? null : Math.round(task.due - Date.now() / 1000);
    due.hidden = seconds === null || task.place === 'done';
    if (due.hidden) return;
    due.dateTime = new Date(task.due * 1000).toISOString();
    due.title = new Date(task.due * 1000).toLocaleString();
    due.className = seconds <= 0 ? 'due over' : 'due';
    due.textContent = seconds <= 0 ? 'Due' : 'in ' + roughly(seconds);
  }

  function roughly(seconds) {
    if (seconds < 60) return 'under a minute';
    if (seconds < 3570) return Math.round(seconds / 60) + ' min';
    if (seconds < 48 * 3600) return Math.round(seconds / 3600) + ' h';
    return Math.round(seconds / 86400) + ' days';
  }

  function refreshDue() {
    Object.keys(cards).forEach(function (id) { showDue(cards[id].querySelector('time'), tasks[id]); });
  }

  setInterval(refreshDue, DUE_REFRESH);

  function flash(card) {
    card.classList.add('fresh');
    setTimeout(function () { card.classList.remove('fresh'); }, 1600);
  }

  /* Reminders. */

  function remind(task) {
    if (removed[task.id]) return;
    dismiss(task.id);
    refreshDue();
    var note = element('div', 'reminder');
    note.setAttribute('data-id', task.id);
    var words = element('p');
    words.appendChild(element('strong', '', 'Due now'));
    words.appendChild(element('span', '', task.title));
    note.appendChild(words);
    note.appendChild(actionButton('Dismiss the reminder', '✕', function () { dismiss(task.id); }));
    at('reminders').appendChild(note);
  }

  function dismiss(id) {
    var note = document.querySelector('.reminder[data-id="' + id + '"]');
    if (note) note.parentNode.removeChild(note);
  }

  /* Adding. */

  at('add-form').onsubmit = function (event) {
    var title = at('title').value.trim();
    var due = at('due').value;
    event.preventDefault();
    if (!title || connection.state !== 'Connected') return;
    at('title').value = '';
    at('due').value = '';
    showAdd();
    ask('AddTask', title, at('assignee').value, due ? Number(due) : null).then(function (isAdded) {
      // What was not added is handed back, unless the next task has been begun.
      if (!isAdded && !at('title').value) at('title').value = title;
      showAdd();
    });
  };

  at('title').oninput = showAdd;

  function showAdd() {
    at('add').disabled = !at('title').value.trim() || connection.state !== 'Connected';
  }

  function showPeople() {
    var select = at('assignee');
    var chosen = select.value || you;
    select.textContent = '';
    Object.keys(people).forEach(function (id) {
      var option = element('option', '', id === you ? 'For me' : 'For ' + people[id]);
      option.value = id;
      select.appendChild(option);
    });
    select.value = chosen;
    at('you').textContent = '';
    at('you').appendChild(avatar(you));
    at('you').appendChild(element('span', '', nameOf(you)));
  }

  // Asks the server for something, and gives whether it did it.
  function ask() {
    at('error').hidden = true;
    return connection.invoke.apply(connection, arguments).then(function () { return true; }, function (error) {
      showError(error);
      return false;
    });
  }

  // The server's own words stand behind a sentence of the protocol.
  function showError(error) {
    var words = error.message.split('HubException: ').pop();
    at('error').textContent = words.charAt(0).toUpperCase() + words.slice(1) + '.';
    at('error').hidden = false;
  }

  function nameOf(id) {
    return people[id] || id;
  }

  function avatar(id) {
    var name = nameOf(id);
    var letters = name.split(/\s+/).map(function (word) { return word.charAt(0); }).join('').slice(0, 2);
    var circle = element('span', 'avatar', letters.toUpperCase());
    var hue = 0;
    for (var i = 0; i < id.length; i++) hue = (hue * 47 + id.charCodeAt(i) * 13) % 360;
    circle.style.setProperty('--hue', hue);
    circle.setAttribute('aria-hidden', 'true');
    return circle;
  }

  function element(tag, className, text) {
    var made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // A page that the browser kept while another was shown may belong to somebody who has signed out.
  window.onpageshow = function (event) { if (event.persisted) location.reload(); };

  showCounts();
  at('title').focus();
  connect();
})();
