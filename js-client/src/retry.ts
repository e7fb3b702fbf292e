import { each, root } from './platform';

// SignalR's delays: the first attempt at once, a short restart is bridged.
const DELAYS = [0, 2000, 10000, 30000];

// A delay is shortened by up to this part, at random, so that those who were cut off together do not come back together.
const JITTER = 0.25;

/** A policy as it is, or that of a list of delays; none where none was asked for. */
export function policyOf(policy: any) {
  return !policy || policy.nextRetryDelayInMilliseconds ? policy : {
    nextRetryDelayInMilliseconds: function (context: any) {
      const delay = (policy.length ? policy : DELAYS)[context.previousRetryCount];
      return delay === undefined ? null : delay * (1 - JITTER * Math.random());
    },
  };
}

/**
 * Calls back after `ms`, or at once when the network or the page comes back meanwhile: a phone that wakes does not
 * wait for a timer that slept. Gives a way to call it off.
 */
export function whenReady(ms: number, callback: () => void) {
  const timer = setTimeout(ready, ms);

  function listen(act: string) {
    // What a document is told of its visibility, its window hears too.
    if (root[act]) each('online pageshow visibilitychange', function (event) { root[act](event, ready); });
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
