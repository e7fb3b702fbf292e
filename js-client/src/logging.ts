import { LogLevel } from './hubwire';
import { noop } from './platform';

/** Says nothing. */
export function NullLogger() {}
NullLogger.prototype.log = noop;
(NullLogger as any).instance = new (NullLogger as any)();

/** Whatever `configureLogging` takes as a logger: one, a level, or the name of a level. Warnings and errors by default. */
export function loggerOf(logging: any) {
  if (logging && logging.log) return logging;
  // A name is told by its first letter.
  const least = logging == null ? LogLevel.Warning : logging > -1 ? logging : 'tdiwecn'.indexOf(logging[0].toLowerCase());
  if (least < 0) throw Error('No LogLevel ' + logging);
  return {
    log: function (level: number, message: string) {
      const out = scope.console;
      if (level >= least && out) out[level > LogLevel.Warning ? 'error' : level < LogLevel.Warning ? 'log' : 'warn'](message);
    },
  };
}
