import { noop } from './platform';

/**
 * As much of a Promise as this client and those who wait for it need, for engines without one:
 * `then` and `catch`, with callbacks that run later and thenables that are waited for.
 */
function Later(this: any, executor: (resolve: (value?: any) => void, reject: (reason: any) => void) => void) {
  let waiting: any = [];
  let isRejected: any;
  let value: any;

  /** Settles by the first word of `run`. */
  function attempt(run: any) {
    function settler(as: number) {
      return function (what: any) {
        if (!run) return;
        run = 0;
        if (!as && what && what.then) {
          attempt(function (resolve: any, reject: any) { what.then(resolve, reject); });
        } else {
          isRejected = as;
          value = what;
          waiting.forEach(function (react: any) { react(); });
          waiting = 0;
        }
      };
    }
    try {
      run(settler(0), settler(1));
    } catch (error) {
      settler(1)(error);
    }
  }

  this.then = function (onfulfilled: any, onrejected: any) {
    return new (Later as any)(function (resolve: any, reject: any) {
      function react() {
        setTimeout(function () {
          const callback = isRejected ? onrejected : onfulfilled;
          try {
            if (callback) resolve(callback(value));
            else (isRejected ? reject : resolve)(value);
          } catch (error) {
            reject(error);
          }
        }, 0);
      }
      if (waiting) waiting.push(react);
      else react();
    });
  };

  this.catch = function (onrejected: any) {
    return this.then(null, onrejected);
  };

  attempt(executor);
}

export const P: PromiseConstructor = scope.Promise || Later;

export function resolved(value?: any): Promise<any> {
  return new P(function (resolve) { resolve(value); });
}

/** For promises whose failure is seen elsewhere. */
export function quietly(promise: any): Promise<any> {
  return resolved(promise).catch(noop);
}
