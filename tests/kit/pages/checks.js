/*
 * What every engine has to be able to do, as a page's script: ES5, and nothing that PhantomJS 1.9 lacks.
 * It says what it saw, a line of JSON each, through `console.log`; last comes "the end".
 */
(function () {
  // In Node, which has no page that could have an address, BASE is the server's.
  var given = typeof window === 'undefined' ? global : window;
  var said = [];
  var connection = new hubwire.HubConnectionBuilder()
    .withUrl((given.BASE || '') + '/big?user=ann', { transport: given.TRANSPORT, connectTimeout: given.CONNECT_TIMEOUT || 2000 })
    .withAutomaticReconnect([0, 50, 100, 200, 400, 800, 1600])
    .configureLogging('none')
    .build();

  function say(what, value) {
    console.log('check ' + JSON.stringify([what, value]));
  }

  function end() {
    console.log('the end');
  }

  function failed(error) {
    say('failed', String(error && (error.stack || error.message) || error));
    end();
  }

  function back() {
    connection.invoke('Add', 1, 2).then(function (sum) {
      say('after the cut', sum);
      return connection.stop();
    }).then(function () {
      say('stopped', connection.state);
      end();
    }).then(null, failed);
  }

  function repeat(text, times) {
    return new Array(times + 1).join(text);
  }

  function download() {
    var items = [];
    connection.stream('Counter', 3).subscribe({
      next: function (item) { items.push(item); },
      error: failed,
      complete: function () {
        say('stream here', items);
        upload();
      },
    });
  }

  function upload() {
    var numbers = new hubwire.Subject();
    var sum = connection.invoke('Sum', numbers);
    numbers.next(40);
    numbers.next(2);
    numbers.complete();
    sum.then(function (sum) {
      say('stream there', sum);
      return connection.invoke('Echo', repeat('0123456789', 10000));
    }).then(function (text) {
      say('100 KB', text.length);
      connection.onreconnected(back);
      console.log('cut me');
      // Polls that are acknowledged outlive a short cut, and so does a call that is posted meanwhile.
      if (/Polling/.test(connection.transport)) back();
    }).then(null, failed);
  }

  connection.on('Notify', function (text) { said.push(text); });
  connection.on('Shout', function (text) { return text + '!'; });

  connection.start().then(function () {
    say('transport', connection.transport);
    console.log('tried ' + connection.attempts.map(function (attempt) {
      return attempt.transport + ' ' + attempt.ms + ' ms' + (attempt.error ? ' (' + attempt.error.message + ')' : '');
    }).join(', '));
    return connection.invoke('Echo', 'Grüße, 世界 👋 \u2028');
  }).then(function (text) {
    say('unicode', text === 'Grüße, 世界 👋 \u2028');
    return connection.invoke('Fail', 'no seats left').then(function () { return 'none'; }, function (error) { return error.message; });
  }).then(function (text) {
    say('error', /HubException: no seats left$/.test(text));
    return connection.invoke('SendAll', 'to all');
  }).then(function () {
    return connection.invoke('ConnectionId');
  }).then(function (id) {
    say('broadcast', said);
    return connection.invoke('Ask', id, 'Shout', 'hey');
  }).then(function (answer) {
    say('client result', answer);
    download();
  }).then(null, failed);
})();
