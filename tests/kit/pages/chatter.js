/* Somebody at the chat page: joins, greets once everybody is there, and waits for all greetings. `NAME` and `EVERYBODY` are given. */
(function () {
  var asked = false;
  var said = false;

  function all(selector) {
    return document.querySelectorAll(selector);
  }

  function submit(form) {
    var event = document.createEvent('Event');
    event.initEvent('submit', true, true);
    document.getElementById(form).dispatchEvent(event);
  }

  function fill(field, text) {
    var event = document.createEvent('Event');
    var element = document.getElementById(field);
    element.value = text;
    event.initEvent('input', true, true);
    element.dispatchEvent(event);
  }

  var state = document.getElementById('state');
  var timer = setInterval(function () {
    if (!all('#members .member').length) {
      if (asked || document.getElementById('join').disabled) return;
      asked = true;
      fill('name', window.NAME);
      fill('room', 'museum');
      submit('join-form');
    } else if (all('#members .member').length === window.EVERYBODY && !said) {
      said = true;
      fill('text', 'Greetings from ' + window.NAME);
      submit('say-form');
    } else if (all('.message .text').length === window.EVERYBODY) {
      clearInterval(timer);
      var texts = [].map.call(all('.message .text'), function (text) { return text.textContent; }).sort();
      console.log('check ' + JSON.stringify([document.getElementById('transport').textContent, state.textContent, texts]));
      console.log('the end');
    }
  }, 200);
})();
