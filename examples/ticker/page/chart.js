/* Draws prices: a big chart that moves between ticks, and the small ones of the list. */
'use strict';

var Chart = (function () {
  var MARGIN = { top: 14, right: 62, bottom: 24, left: 4 };

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** A canvas as large as it is shown, in the pixels of the screen; gives what draws, in those of the page. */
  function sized(canvas) {
    var scale = window.devicePixelRatio || 1;
    var width = canvas.clientWidth;
    var height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    var pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    return { pen: pen, width: width, height: height };
  }

  /** A step of 1, 2 or 5 of some power of ten, of which about `count` fit into `span`. */
  function niceStep(span, count) {
    var raw = span / count;
    var power = Math.pow(10, Math.floor(Math.log10(raw)));
    var digit = raw / power;
    return (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10) * power;
  }

  function line(pen, points) {
    pen.beginPath();
    points.forEach(function (point, index) {
      if (index) pen.lineTo(point.x, point.y);
      else pen.moveTo(point.x, point.y);
    });
  }

  function small(canvas, prices, name) {
    var at = sized(canvas);
    var low = Math.min.apply(null, prices);
    var high = Math.max.apply(null, prices);
    var span = high - low || 1;
    line(at.pen, prices.map(function (price, index) {
      return { x: 1 + index / (prices.length - 1) * (at.width - 2), y: 2 + (high - price) / span * (at.height - 4) };
    }));
    at.pen.strokeStyle = color(name);
    at.pen.lineWidth = 1.5;
    at.pen.lineJoin = 'round';
    at.pen.stroke();
  }

  /**
   * The big one. `view` gives what is to be seen now: `prices`, the newest last; `opening`; `ticks`, how many fit;
   * `progress`, how much of the time to the next tick is over, by which the line moves on.
   */
  function big(canvas, view) {
    var low = null;
    var high = null;
    var pointer = null;

    canvas.addEventListener('pointermove', function (event) { pointer = event.offsetX; });
    canvas.addEventListener('pointerleave', function () { pointer = null; });

    /** Goes some of the way each time, so that the scale does not jump. */
    function glide(from, to) {
      return from === null || Math.abs(to - from) > Math.abs(to) * 0.2 ? to : from + (to - from) * 0.12;
    }

    function draw() {
      requestAnimationFrame(draw);
      var now = view();
      if (!now || now.prices.length < 2) return;
      var at = sized(canvas);
      var pen = at.pen;
      var right = at.width - MARGIN.right;
      var bottom = at.height - MARGIN.bottom;
      var step = (right - MARGIN.left) / now.ticks;
      var prices = now.prices.slice(-now.ticks - 2);
      var last = prices[prices.length - 1];
      var before = prices[prices.length - 2];
      // The newest price is on its way from the one before.
      var head = before + (last - before) * now.progress;

      var least = Math.min.apply(null, prices);
      var most = Math.max.apply(null, prices);
      var air = (most - least || most * 0.001) * 0.12;
      low = glide(low, least - air);
      high = glide(high, most + air);
      function yOf(price) { return MARGIN.top + (high - price) / (high - low) * (bottom - MARGIN.top); }

      pen.font = '12px system-ui, sans-serif';
      pen.textBaseline = 'middle';
      pen.lineWidth = 1;
      pen.strokeStyle = color('--line');
      pen.fillStyle = color('--faint');
      var each = niceStep(high - low, Math.max(2, (bottom - MARGIN.top) / 64));
      for (var price = Math.ceil(low / each) * each; price < high; price += each) {
        var y = Math.round(yOf(price)) + 0.5;
        pen.beginPath();
        pen.moveTo(MARGIN.left, y);
        pen.lineTo(right, y);
        pen.stroke();
        pen.fillText(price.toFixed(2), right + 8, y);
      }
      pen.textAlign = 'center';
      var seconds = now.ticks / 10;
      for (var back = niceStep(seconds, 5); back < seconds; back += niceStep(seconds, 5)) {
        pen.fillText('−' + back + ' s', right - back * 10 * step, at.height - 10);
      }
      pen.textAlign = 'left';

      if (now.opening > low && now.opening < high) {
        pen.setLineDash([3, 5]);
        pen.strokeStyle = color('--faint');
        pen.beginPath();
        pen.moveTo(MARGIN.left, yOf(now.opening));
        pen.lineTo(right, yOf(now.opening));
        pen.stroke();
        pen.setLineDash([]);
      }

      var points = prices.slice(0, -1).map(function (price, index) {
        return { x: right - (prices.length - 2 - index + now.progress) * step, y: yOf(price), price: price };
      });
      points.push({ x: right, y: yOf(head), price: head });

      var tone = color(last >= now.opening ? '--up' : '--down');
      pen.save();
      pen.beginPath();
      pen.rect(MARGIN.left, 0, at.width, at.height);
      pen.clip();
      line(pen, points);
      pen.lineTo(right, bottom);
      pen.lineTo(points[0].x, bottom);
      var wash = pen.createLinearGradient(0, MARGIN.top, 0, bottom);
      wash.addColorStop(0, tone + '55');
      wash.addColorStop(1, tone + '00');
      pen.fillStyle = wash;
      pen.fill();
      line(pen, points);
      pen.strokeStyle = tone;
      pen.lineWidth = 2.2;
      pen.lineJoin = 'round';
      pen.stroke();
      pen.restore();

      // The dot breathes with each tick.
      pen.fillStyle = tone + '33';
      pen.beginPath();
      pen.arc(right, yOf(head), 5 + 7 * (1 - now.progress), 0, 7);
      pen.fill();
      label(pen, at, head, right, yOf(head), tone);

      if (pointer !== null && pointer < right) {
        var nearest = points.reduce(function (best, point) {
          return Math.abs(point.x - pointer) < Math.abs(best.x - pointer) ? point : best;
        });
        pen.strokeStyle = color('--faint');
        pen.lineWidth = 1;
        pen.beginPath();
        pen.moveTo(nearest.x, MARGIN.top);
        pen.lineTo(nearest.x, bottom);
        pen.stroke();
        label(pen, at, nearest.price, right, nearest.y, color('--faint'));
        pen.fillStyle = color('--ink');
        pen.beginPath();
        pen.arc(nearest.x, nearest.y, 3.5, 0, 7);
        pen.fill();
      }
    }

    function label(pen, at, price, right, y, tone) {
      pen.fillStyle = tone;
      pen.beginPath();
      pen.roundRect(right + 3, y - 11, at.width - right - 4, 22, 6);
      pen.fill();
      pen.fillStyle = color('--card');
      pen.font = '600 12px system-ui, sans-serif';
      pen.fillText(price.toFixed(2), right + 9, y + 0.5);
    }

    draw();
    return { reset: function () { low = high = null; } };
  }

  return { big: big, small: small };
})();
