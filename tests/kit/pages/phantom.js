/* Runs in PhantomJS itself: opens a page, gives it globals and scripts, hands on what it says, and takes its picture at the end. */
var options = JSON.parse(require('system').args[1]);
var page = require('webpage').create();

page.viewportSize = { width: 1000, height: 640 };
page.onConsoleMessage = function (message) {
  console.log(message);
  if (message !== 'the end') return;
  if (options.picture) page.render(options.picture);
  phantom.exit(0);
};
page.onError = function (message, trace) {
  console.log('page error: ' + message + ' ' + JSON.stringify(trace[0]));
};
page.open(options.url, function (status) {
  if (status !== 'success') console.log('page error: ' + status);
  page.evaluate(function (globals) {
    for (var name in globals) window[name] = globals[name];
  }, options.globals);
  options.scripts.forEach(function (script) { page.injectJs(script); });
});
