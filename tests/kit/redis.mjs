// A Redis of a test's own: a process on a free port that keeps nothing on disk.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { freePort } from './nginx.mjs';
import { SOON, within } from './within.mjs';

/** Why tests with a Redis cannot run, if they cannot. CI promises one; elsewhere its absence is said and skipped. */
export const skip = !process.env.CI && !isThere() && 'no redis-server in PATH';

function isThere() {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export class RedisServer {
  #child;

  /** Starts one, and waits until it can be connected to. */
  static async start() {
    const redis = new RedisServer();
    redis.port = await freePort();
    redis.url = `redis://127.0.0.1:${redis.port}/`;
    await redis.restart();
    return redis;
  }

  /** Starts it again where it was. */
  async restart() {
    const options = ['--port', this.port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => line.includes('Ready to accept') && resolve());
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
      child.once('error', reject);
    });
    await within(SOON, ready, 'Redis to accept connections');
  }

  /** Ends it as if its machine had lost power. */
  async kill() {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await within(SOON, exit, 'the end of Redis');
  }
}
