/*
 * Lines on a canvas: a big one with a scale and a pointer, and small ones without. They know
 * numbers and colours, and nothing of a connection.
 */
var charts = (function () {
  'use strict';

  var GRID_LINES = 4;
  var SCALE_WIDTH = 64;

  // A line that is flat fills the middle, not the whole height.
  var LEAST_SPAN = 0.002;

  function size(canvas) {
    var ratio = window.devicePixelRatio || 1;
    var width = Math.round(canvas.clientWidth * ratio);
    var height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    var context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    return context;
  }

  function bounds(prices) {
    var low = Math.min.apply(null, prices);
    var high = Math.max.apply(null, prices);
    var missing = Math.max(0, LEAST_SPAN * high - (high - low)) / 2;
    return { low: low - missing, high: high + missing };
  }

  /* How a price and a moment become a place. */
  function placing(prices, slots, box) {
    var range = bounds(prices);
    var span = range.high - range.low || 1;
    return {
      range: range,
      x: function (index) {
        return box.left + (slots - prices.length + index) * (box.width / (slots - 1));
      },
      y: function (price) {
        return box.top + (1 - (price - range.low) / span) * box.height;
      }
    };
  }

  function trace(context, prices, place) {
    context.beginPath();
    for (var i = 0; i < prices.length; i++) {
      context[i ? 'lineTo' : 'moveTo'](place.x(i), place.y(prices[i]));
    }
  }

  function fill(context, prices, place, box, colour) {
    var shade = context.createLinearGradient(0, box.top, 0, box.top + box.height);
    shade.addColorStop(0, colour + '55');
    shade.addColorStop(1, colour + '00');
    trace(context, prices, place);
    context.lineTo(place.x(prices.length - 1), box.top + box.height);
    context.lineTo(place.x(0), box.top + box.height);
    context.closePath();
    context.fillStyle = shade;
    context.fill();
  }

  function stroke(context, prices, place, colour, width) {
    trace(context, prices, place);
    context.lineWidth = width;
    context.lineJoin = 'round';
    context.strokeStyle = colour;
    context.stroke();
  }

  /* A small line. */
  function spark(canvas, prices, slots, colour) {
    var context = size(canvas);
    var box = { left: 1, top: 3, width: canvas.clientWidth - 2, height: canvas.clientHeight - 6 };
    var place = placing(prices, slots, box);
    fill(context, prices, place, box, colour);
    stroke(context, prices, place, colour, 1.5);
  }

  /* The big one; `pointer` is where somebody points at, in CSS pixels from its left. */
  function chart(canvas, prices, slots, options) {
    var context = size(canvas);
    var box = {
      left: 0,
      top: 14,
      width: canvas.clientWidth - SCALE_WIDTH,
      height: canvas.clientHeight - 28
    };
    var place = placing(prices, slots, box);
    context.font = '12px ' + getComputedStyle(document.body).fontFamily;
    context.textBaseline = 'middle';
    context.fillStyle = options.muted;
    context.strokeStyle = options.line;
    context.lineWidth = 1;
    for (var i = 0; i <= GRID_LINES; i++) {
      var price = place.range.low + (place.range.high - place.range.low) * i / GRID_LINES;
      var y = Math.round(place.y(price)) + 0.5;
      context.beginPath();
      context.moveTo(box.left, y);
      context.lineTo(box.left + box.width, y);
      context.stroke();
      context.fillText(price.toFixed(2), box.left + box.width + 10, y);
    }
    fill(context, prices, place, box, options.colour);
    stroke(context, prices, place, options.colour, 2);
    mark(context, place.x(prices.length - 1), place.y(prices[prices.length - 1]), options.colour);
    if (options.pointer !== null) {
      point(context, prices, slots, place, box, options);
    }
  }

  function mark(context, x, y, colour) {
    context.beginPath();
    context.arc(x, y, 4, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.fillStyle = colour + '44';
    context.fill();
  }

  function point(context, prices, slots, place, box, options) {
    var step = box.width / (slots - 1);
    var index = Math.round((options.pointer - place.x(0)) / step);
    if (index < 0 || index >= prices.length) {
      return;
    }
    var x = place.x(index);
    var y = place.y(prices[index]);
    context.strokeStyle = options.muted;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, box.top);
    context.lineTo(x, box.top + box.height);
    context.stroke();
    mark(context, x, y, options.ink);
    var ago = ((prices.length - 1 - index) / options.perSecond).toFixed(1);
    var text = prices[index].toFixed(2) + '   ' + ago + ' s ago';
    var width = context.measureText(text).width;
    var left = Math.min(Math.max(x - width / 2, 14), box.left + box.width - width - 14);
    context.fillStyle = options.ink;
    context.fillRect(left - 9, box.top - 12, width + 18, 24);
    context.fillStyle = options.ground;
    context.fillText(text, left, box.top);
  }

  return { chart: chart, spark: spark };
})();
