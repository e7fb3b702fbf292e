// A server of Microsoft's: ASP.NET Core 3.1, from npm.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ServerProcess, binaryPath } from './process.mjs';

/** Why it cannot run, if it cannot. It is installed when it is first asked for; elsewhere than on Linux on x64 that is said and skipped. */
export const skip = !process.env.CI && (process.platform !== 'linux' || process.arch !== 'x64' || !hasCompiler()) && 'no ASP.NET Core for this machine';

function hasCompiler() {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Compiles the program of that name in `aspnet/`, beside what cargo builds, and starts it. */
export function startAspNet(name) {
  const folder = join(dirname(dirname(binaryPath(name))), 'aspnet');
  const here = fileURLToPath(new URL('../aspnet/', import.meta.url));
  execFileSync(join(here, 'build'), [folder, join(here, `${name}.cs`)], { stdio: ['ignore', 'inherit', 'inherit'] });
  return ServerProcess.startAt(join(folder, name));
}
