import { each } from './platform';

// SignalR's delays: the first attempt at once, a short restart is bridged.
const DELAYS = [0, 2000, 10000, 30000];

// A delay is shortened by up to this part, at random, so that those who were cut off together do not come back together.
const JITTER = 0.25;

/** The delay before so many attempts have failed, by a list of them; NaN where it ends. */
export function delayOf(list: any, attempt: number) {
  return (list.map ? list : DELAYS)[attempt] * (1 - JITTER * Math.random());
}

/**
 * Calls back after `ms`, or at once when the network comes back or the page is seen again: a phone that wakes does not
 * wait for a timer that slept. A page that goes away waits until it is shown. Gives a way to call it off.
 */
export function whenReady(ms: number, callback: () => void) {
  const timer = setTimeout(ready, ms);

  function listen(act: string) {
    // What a document is told of its visibility, its window hears too.
    if (scope[act]) each('online pageshow visibilitychange pagehide', function (event) { scope[act](event, react); });
  }
  function react(event: any) {
    if (event.type === 'pagehide') clearTimeout(timer);
    else if (!(scope.document || 0).hidden) ready();
  }
  function cancel() {
    clearTimeout(timer);
    listen('removeEventListener');
  }
  function ready() {
    cancel();
    callback();
  }
  listen('addEventListener');
  return cancel;
}
