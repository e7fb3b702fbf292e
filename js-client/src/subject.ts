import { each } from './platform';

/** A stream that the application feeds, or that the server does: whoever subscribes gets what comes from then on. */
export function Subject(this: any) {
  const self = this;
  let observers: any[] = [];

  each('next error complete', function (event) {
    self[event] = function (value: any) {
      observers.forEach(function (observer) {
        if (observer[event]) observer[event](value);
      });
    };
  });

  self.subscribe = function (observer: any) {
    observers.push(observer);
    return {
      dispose: function () {
        observers = observers.filter(function (other) { return other !== observer; });
        if (!observers.length && self._cancel) self._cancel();
      },
    };
  };
}
