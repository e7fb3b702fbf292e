/* The page: one stream of ticks, and what is shown of them. */
'use strict';

(function () {
  // As many ticks as the server keeps.
  var KEPT = 1200;
  var TICK = 100;

  var connection = new hubwire.HubConnectionBuilder()
    .withUrl('/ticker')
    .withAutomaticReconnect([0, 500, 1000, 2000, 5000, 5000, 5000, 5000])
    .build();

  var companies = [];
  // One row of prices per company.
  var prices = [];
  var newest = 0;
  var arrivedAt = 0;
  var arrivals = [];
  var chosen = 0;
  var shown = 600;

  function element(id) {
    return document.getElementById(id);
  }

  var chart = Chart.big(element('chart'), function () {
    return companies.length && {
      prices: prices[chosen],
      opening: companies[chosen].opening,
      ticks: shown,
      progress: Math.min((performance.now() - arrivedAt) / TICK, 1),
    };
  });

  function hear(ticks) {
    ticks.forEach(function (tick) {
      // A server that was started again counts from the beginning.
      if (tick.number <= newest) prices.forEach(function (row) { row.length = 0; });
      newest = tick.number;
      tick.prices.forEach(function (price, index) {
        var row = prices[index];
        row.push(price);
        if (row.length > KEPT) row.shift();
      });
    });
    if (!ticks.length) return;
    arrivedAt = performance.now();
    arrivals.push(arrivedAt);
    while (arrivals[0] < arrivedAt - 2000) arrivals.shift();
    showPrices();
  }

  function watch() {
    connection.stream('Watch', newest).subscribe({
      next: hear,
      // The connection is lost, and when it is back this begins anew.
      error: function () {},
      complete: function () {},
    });
  }

  // A step that is worth a flash, as a part of the price.
  var STEP = 0.0015;

  function change(index) {
    var row = prices[index];
    var part = row[row.length - 1] / companies[index].opening - 1;
    return { text: (part < 0 ? '−' : '+') + Math.abs(part * 100).toFixed(2) + ' %', tone: part < 0 ? 'down' : 'up' };
  }

  function showPrices() {
    companies.forEach(function (company, index) {
      var row = prices[index];
      var price = row[row.length - 1];
      var moved = change(index);
      var step = price / row[row.length - 2] - 1;
      company.price.textContent = price.toFixed(2);
      company.price.classList.toggle('rose', step > STEP);
      company.price.classList.toggle('fell', step < -STEP);
      company.change.textContent = moved.text;
      company.change.className = 'change ' + moved.tone;
    });
    var moved = change(chosen);
    element('price').textContent = companies[chosen].price.textContent;
    element('change').textContent = moved.text;
    element('change').className = moved.tone;
  }

  function showSparks() {
    companies.forEach(function (company, index) {
      if (prices[index].length > 1) Chart.small(company.spark, prices[index].slice(-300), change(index).tone === 'up' ? '--up' : '--down');
    });
  }

  function showState() {
    element('state').textContent = connection.state;
    element('state').dataset.state = connection.state;
    element('transport').textContent = connection.transport || '';
    element('buy').disabled = element('sell').disabled = connection.state !== 'Connected';
  }

  function choose(index) {
    chosen = index;
    chart.reset();
    companies.forEach(function (company, at) { company.button.setAttribute('aria-current', at === index); });
    element('name').textContent = companies[index].symbol + ' · ' + companies[index].name;
    if (prices[index].length) showPrices();
  }

  function list(found) {
    if (companies.length) return;
    companies = found;
    companies.forEach(function (company, index) {
      var button = (company.button = document.createElement('button'));
      button.type = 'button';
      button.className = 'company';
      button.innerHTML = '<b></b><small></small><canvas aria-hidden="true"></canvas><span class="price"></span><span class="change"></span>';
      button.querySelector('b').textContent = company.symbol;
      button.querySelector('small').textContent = company.name;
      company.spark = button.querySelector('canvas');
      company.price = button.querySelector('.price');
      company.change = button.querySelector('.change');
      button.addEventListener('click', function () { choose(index); });
      element('companies').appendChild(button);
      prices.push([]);
    });
    choose(0);
  }

  function order(method) {
    connection.invoke(method, companies[chosen].symbol).catch(function (error) { element('news').textContent = error.message; });
  }

  function greet() {
    showState();
    return connection.invoke('Companies').then(list).then(watch);
  }

  function connect() {
    showState();
    connection.start().then(greet).catch(function (error) {
      showState();
      element('news').textContent = error.message;
      setTimeout(connect, 2000);
    });
  }

  connection.on('WatchersChanged', function (count) { element('watchers').textContent = count; });
  connection.on('Ordered', function (symbol, side) { element('news').textContent = 'Somebody ' + side + ' ' + symbol + '.'; });
  connection.onreconnecting(showState);
  connection.onreconnected(greet);
  connection.onclose(connect);

  element('buy').addEventListener('click', function () { order('Buy'); });
  element('sell').addEventListener('click', function () { order('Sell'); });
  document.querySelectorAll('.ranges button').forEach(function (button) {
    button.addEventListener('click', function () {
      document.querySelectorAll('.ranges button').forEach(function (other) { other.setAttribute('aria-pressed', other === button); });
      shown = button.dataset.seconds * 10;
      chart.reset();
    });
  });
  document.addEventListener('keydown', function (event) {
    var step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !companies.length) return;
    event.preventDefault();
    choose((chosen + step + companies.length) % companies.length);
  });

  setInterval(showSparks, 500);
  setInterval(function () {
    element('rate').textContent = Math.round(arrivals.filter(function (at) { return at > performance.now() - 2000; }).length / 2);
    if (connection.state !== 'Connected') return;
    var asked = performance.now();
    connection.invoke('Companies').then(function () { element('trip').textContent = Math.max(1, Math.round(performance.now() - asked)) + ' ms'; }, function () {});
  }, 1000);

  connect();
})();
