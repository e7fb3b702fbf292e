/*
 * The ticker page: one hub connection, one stream, a canvas for each company. Read it in this
 * order: the connection, the stream, what is shown.
 */
(function () {
  'use strict';

  // Ten prices a second, of which a chart shows a minute.
  var PER_SECOND = 10;
  var SLOTS = 60 * PER_SECOND;

  // The rate that is shown is that of the last seconds.
  var RATE_SPAN = 3000;

  var colours = {
    up: '#2dd4bf',
    down: '#fb7185',
    ground: '#0b0f14',
    ink: '#e8eef5',
    muted: '#8494a7',
    line: '#1d2632'
  };

  var connection = new hubwire.HubConnectionBuilder()
    .withUrl('/ticker')
    .withAutomaticReconnect()
    .build();

  var companies = [];
  var chosen = 0;
  var subscription = null;
  var pointer = null;
  var arrivals = [];
  var drawing = false;

  function at(id) {
    return document.getElementById(id);
  }

  /* The connection. */

  connection.onreconnecting(function () {
    show('Reconnecting');
  });

  connection.onreconnected(watch);

  connection.onclose(function () {
    subscription = null;
    show('Disconnected');
    setTimeout(start, 3000);
  });

  function start() {
    show('Connecting');
    connection.start().then(watch, function () {
      show('Disconnected');
      setTimeout(start, 3000);
    });
  }

  function show(state) {
    at('state').textContent = state;
    at('state').setAttribute('data-state', state);
    at('transport').textContent = state === 'Connected' ? connection.transport || '' : '';
    at('pause').disabled = state !== 'Connected';
    if (state !== 'Connected') {
      at('rate').textContent = '';
    }
  }

  /* The stream: what was, then what comes. */

  function watch() {
    return connection.invoke('Listings').then(function (listings) {
      list(listings);
      show('Connected');
      follow();
    });
  }

  function follow() {
    at('pause').textContent = 'Pause';
    subscription = connection.stream('Prices').subscribe({
      next: arrive,
      error: function () {
        subscription = null;
      },
      complete: function () {
        subscription = null;
      }
    });
  }

  at('pause').addEventListener('click', function () {
    if (!subscription) {
      // What was missed meanwhile is in the listings.
      watch();
      return;
    }
    // The server drops the stream, and its prices cost nothing any more.
    subscription.dispose();
    subscription = null;
    arrivals = [];
    at('pause').textContent = 'Resume';
    at('rate').textContent = 'paused';
  });

  function arrive(item) {
    for (var i = 0; i < companies.length; i++) {
      var history = companies[i].history;
      history.push(item.prices[i]);
      if (history.length > SLOTS) {
        history.shift();
      }
    }
    var now = new Date().getTime();
    arrivals.push(now);
    while (arrivals[0] < now - RATE_SPAN) {
      arrivals.shift();
    }
    draw();
  }

  /* What is shown. Several items may come between two frames; they are drawn together. */

  function list(listings) {
    var nav = at('list');
    while (nav.firstChild) {
      nav.removeChild(nav.firstChild);
    }
    companies = listings.map(function (listing, index) {
      var company = {
        symbol: listing.symbol,
        name: listing.name,
        open: listing.open,
        history: listing.history.slice(-SLOTS),
        shown: null,
        button: document.createElement('button'),
        canvas: document.createElement('canvas'),
        price: document.createElement('span'),
        change: document.createElement('span')
      };
      var symbol = document.createElement('span');
      symbol.className = 'of';
      symbol.textContent = company.symbol;
      var figures = document.createElement('span');
      figures.className = 'at';
      company.price.className = 'now';
      figures.appendChild(company.price);
      figures.appendChild(company.change);
      company.button.type = 'button';
      company.button.className = 'company';
      company.button.setAttribute('data-symbol', company.symbol);
      company.button.appendChild(symbol);
      company.button.appendChild(company.canvas);
      company.button.appendChild(figures);
      company.button.addEventListener('click', function () {
        chosen = index;
        draw();
      });
      nav.appendChild(company.button);
      return company;
    });
    draw();
  }

  function draw() {
    if (drawing) {
      return;
    }
    drawing = true;
    window.requestAnimationFrame(function () {
      drawing = false;
      companies.forEach(drawCompany);
      if (companies.length) {
        drawChosen(companies[chosen]);
      }
      if (arrivals.length > 1) {
        var span = arrivals[arrivals.length - 1] - arrivals[0];
        at('rate').textContent = ((arrivals.length - 1) * 1000 / span).toFixed(1) + ' / s';
      }
    });
  }

  function last(company) {
    return company.history[company.history.length - 1];
  }

  function direction(company) {
    return last(company) < company.open ? 'down' : 'up';
  }

  function changeOf(company) {
    var percent = (last(company) / company.open - 1) * 100;
    return (percent < 0 ? '−' : '+') + Math.abs(percent).toFixed(2) + ' %';
  }

  function drawCompany(company, index) {
    var way = direction(company);
    charts.spark(company.canvas, company.history, SLOTS, colours[way]);
    company.price.textContent = last(company).toFixed(2);
    company.change.className = 'by ' + way;
    company.change.textContent = changeOf(company);
    company.button.setAttribute('aria-pressed', String(index === chosen));
  }

  function drawChosen(company) {
    var way = direction(company);
    charts.chart(at('chart'), company.history, SLOTS, {
      colour: colours[way],
      ground: colours.ground,
      ink: colours.ink,
      muted: colours.muted,
      line: colours.line,
      perSecond: PER_SECOND,
      pointer: pointer
    });
    at('symbol').textContent = company.symbol;
    at('name').textContent = company.name;
    at('open').textContent = company.open.toFixed(2);
    at('low').textContent = Math.min.apply(null, company.history).toFixed(2);
    at('high').textContent = Math.max.apply(null, company.history).toFixed(2);
    at('change').className = 'change ' + way;
    at('change').textContent = changeOf(company);
    flash(company, last(company));
  }

  function flash(company, price) {
    var element = at('price');
    element.textContent = price.toFixed(2);
    if (company.shown !== null && company.shown !== price) {
      element.className = 'price ' + (price < company.shown ? 'flash-down' : 'flash-up');
    }
    company.shown = price;
  }

  var canvas = at('chart');

  function follows(event) {
    pointer = event.clientX - canvas.getBoundingClientRect().left;
    draw();
  }

  canvas.addEventListener('mousemove', follows);
  canvas.addEventListener('mouseleave', function () {
    pointer = null;
    draw();
  });
  window.addEventListener('resize', draw);

  start();
})();
