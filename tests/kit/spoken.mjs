import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { Queue } from './queue.mjs';

/** Starts a program that ends with the test, and gives what it says, line by line. */
export function spoken(t, name, path, args, options = {}) {
  const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = new Queue(name);
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', resolve);
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  ended.then((code) => {
    process.off('exit', kill);
    lines.end(`it ended with ${code}: ${lines.all.join('\n')}`);
  });
  t.after(async () => {
    kill();
    await ended;
  });
  return lines;
}
