// A server under test is a process: started on a free port, watched through its output and /proc, ended by SIGTERM.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { SOON, within } from './within.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where `cargo build` leaves the binary called `name`, built with `profile`; cargo itself is asked, since the target directory is the user's choice. */
export function binaryPath(name, profile = 'debug') {
  const metadata = execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], {
    cwd: ROOT,
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return join(JSON.parse(metadata).target_directory, profile, name);
}

export class ServerProcess {
  /** Every line it wrote, stdout and stderr as they came. */
  lines = [];
  #child;
  #exit;
  #watchers = new Set();

  /** Starts the binary called `name` and waits until it says where it listens. */
  static start(name, env = {}, profile = 'debug') {
    return this.startAt(binaryPath(name, profile), env);
  }

  /** The same of a program that cargo did not build. */
  static async startAt(path, env = {}) {
    const server = new this();
    await server.#start(path, env);
    return server;
  }

  async #start(path, env) {
    this.#child = spawn(path, [], {
      env: { ...process.env, ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exit = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve({ error }));
      // Not its exit: what it wrote last may not have been read by then.
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#line(line));
    }
    // A test file that dies must not leave its server behind.
    const kill = () => this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#exit.then(() => process.off('exit', kill));

    const ready = this.logged(/http:\/\/127\.0\.0\.1:\d+/);
    const early = this.#exit.then(({ code, signal, error }) => {
      throw new Error(`${path} ended before it listened (${error ?? signal ?? code}): ${this.lines.join('\n')}`);
    });
    early.catch(() => {});
    const line = await Promise.race([ready, early]);
    this.url = line.match(/http:\/\/127\.0\.0\.1:\d+/)[0];
    this.port = Number(new URL(this.url).port);
  }

  #line(line) {
    this.lines.push(line);
    for (const watcher of this.#watchers) watcher(line);
  }

  /** The first line, past or still to come, that `pattern` matches. */
  async logged(pattern, ms = SOON) {
    let watcher;
    const line = new Promise((resolve) => {
      watcher = (line) => pattern.test(line) && resolve(line);
      this.lines.forEach(watcher);
      this.#watchers.add(watcher);
    });
    try {
      return await within(ms, line, `a log line like ${pattern}`);
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  /** The end of the process: `{ code, signal }`. */
  ended(ms = SOON) {
    return within(ms, this.#exit, 'the end of the server');
  }

  terminate() {
    this.#child.kill('SIGTERM');
  }

  /** Ends it as if its machine had lost power. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.ended();
  }

  /** Ends it the polite way; fails when it has to be killed or reports a failure. */
  async stop() {
    this.terminate();
    try {
      const { code, signal } = await this.ended();
      if (code !== 0) throw new Error(`the server ended with ${signal ?? code}: ${this.lines.slice(-20).join('\n')}`);
    } finally {
      this.#child.kill('SIGKILL');
    }
  }

  /** Resident memory in MiB. */
  rss() {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)[1]) / 1024;
  }

  /** The most it ever had resident, in MiB: what a sample between two peaks would miss. */
  peakRss() {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(status.match(/^VmHWM:\s+(\d+) kB$/m)[1]) / 1024;
  }

  /** Open file descriptors. */
  fds() {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Open sockets of clients at `port`: those that the system knows as somebody's (an inode) and as connected (a peer). */
  sockets(port = this.port) {
    const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
    const fields = lines.map((line) => line.trim().split(/\s+/));
    return fields.filter(([, from, to, , , , , , , inode]) => from.endsWith(local) && !to.endsWith(':0000') && inode !== '0').length;
  }

  /** The body of a plain HTTP request, which must succeed. Its connection ends with it, so that it is not among those that a test counts. */
  async fetch(path, init = {}) {
    const headers = { connection: 'close' };
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(SOON), headers, ...init });
    const body = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body}`);
    return body;
  }
}
