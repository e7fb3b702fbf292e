import { LogLevel } from './enums';
import type { ILogger } from './hubwire';
import { noop, root } from './platform';
import { Level } from './wire';

/** Says nothing. */
export function NullLogger() {}
NullLogger.prototype.log = noop;
(NullLogger as any).instance = new (NullLogger as any)();

/** Whatever `configureLogging` takes as a logger: one, a level, or the name of a level. Warnings and errors by default. */
export function loggerOf(logging: any): ILogger {
  if (logging === null) return (NullLogger as any).instance;
  if (logging && logging.log) return logging;
  let least: any = typeof logging === 'number' ? logging : Level.Warning;
  if (typeof logging === 'string') {
    least = -1;
    // SignalR's names for a level are the beginnings of ours: "info", "warn".
    for (const name in LogLevel) if (!name.toLowerCase().indexOf(logging.toLowerCase())) least = LogLevel[name];
    if (least < 0) throw Error('Unknown log level: ' + logging);
  }
  return {
    log: function (level: number, message: string) {
      const out = root.console;
      if (level >= least && out) out[['log', 'log', 'info', 'warn'][level] || 'error'](LogLevel[level] + ': ' + message);
    },
  };
}
