import { each } from './platform';

/** A stream that the application feeds, or that the server does: whoever subscribes gets what comes from then on. */
export function Subject(this: any) {
  this.observers = [];
}

each('next error complete', function (event) {
  Subject.prototype[event] = function (value: any) {
    this.observers.slice().forEach(function (observer: any) {
      if (observer[event]) observer[event](value);
    });
  };
});

Subject.prototype.subscribe = function (observer: any) {
  const self = this;
  self.observers.push(observer);
  return {
    dispose: function () {
      const index = self.observers.indexOf(observer);
      if (index < 0) return;
      self.observers.splice(index, 1);
      if (!self.observers.length && self.cancelCallback) self.cancelCallback();
    },
  };
};
