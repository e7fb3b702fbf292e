import { root } from './platform';

/**
 * As much of a Promise as this client and those who wait for it need, for engines without one:
 * `then` and `catch`, with callbacks that run later and thenables that are waited for.
 */
function Later(this: any, executor: (resolve: (value?: any) => void, reject: (reason: any) => void) => void) {
  let outcome = -1;
  let value: any;
  let waiting: any[] = [];

  function tell(reactions: any) {
    setTimeout(function () { reactions[outcome](value); }, 0);
  }

  function attempt(run: any) {
    let isOpen = true;
    function settler(as: number) {
      return function (what: any) {
        if (!isOpen) return;
        isOpen = false;
        if (!as && what && typeof what.then === 'function') {
          attempt(function (resolve: any, reject: any) { what.then(resolve, reject); });
          return;
        }
        outcome = as;
        value = what;
        waiting.forEach(tell);
      };
    }
    const reject = settler(1);
    try {
      run(settler(0), reject);
    } catch (error) {
      reject(error);
    }
  }

  this.then = function (onfulfilled: any, onrejected: any) {
    return new (Later as any)(function (resolve: any, reject: any) {
      function reaction(callback: any, otherwise: any) {
        return function (what: any) {
          if (!callback) return otherwise(what);
          try {
            resolve(callback(what));
          } catch (error) {
            reject(error);
          }
        };
      }
      const reactions = [reaction(onfulfilled, resolve), reaction(onrejected, reject)];
      if (outcome < 0) waiting.push(reactions);
      else tell(reactions);
    });
  };

  this.catch = function (onrejected: any) {
    return this.then(null, onrejected);
  };

  attempt(executor);
}

export const P: PromiseConstructor = root.Promise || Later;

/** A promise that the caller settles, or that is settled with `value`; what `run` throws rejects it. */
export function resolved(value?: any): Promise<any> {
  return new P(function (resolve) { resolve(value); });
}

export function pause(ms: number): Promise<any> {
  return new P(function (resolve) { setTimeout(resolve, ms); });
}
