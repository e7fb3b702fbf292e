// The system's nginx as a process of its own: everything that it writes is in a folder that goes with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { SOON, until, within } from './within.mjs';

// Debian puts it where only root's PATH leads.
const path = [...process.env.PATH.split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'nginx'))
  .find(existsSync);

/** Why tests behind nginx cannot run, if they cannot. CI promises one; elsewhere its absence is said and skipped. */
export const skip = !path && !process.env.CI && 'no nginx in PATH';

export class Nginx {
  /** Everything that it had to say. */
  log = '';
  #folder = mkdtempSync(join(tmpdir(), 'hubwire-nginx-'));
  #child;
  #exit;

  /** Starts one that has the locations in `snippet`, and waits until it listens; it ends with the test. */
  static async start(t, snippet) {
    const nginx = new Nginx();
    t.after(() => nginx.#stop());
    await nginx.#start(snippet);
    return nginx;
  }

  async #start(snippet) {
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const config = join(this.#folder, 'nginx.conf');
    writeFileSync(config, configuration(this.#folder, this.port, snippet));
    this.#child = spawn(path, ['-p', this.#folder, '-c', config, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr.on('data', (bytes) => (this.log += bytes));
    this.#exit = once(this.#child, 'exit');
    const kill = () => this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.#exit.then(() => process.off('exit', kill));
    await until(SOON, 'nginx to listen', () => {
      if (this.#child.exitCode !== null) throw new Error(`nginx ended: ${this.log}`);
      return fetch(`${this.url}/`, { method: 'HEAD', signal: AbortSignal.timeout(SOON) }).then(() => true, () => false);
    });
  }

  async #stop() {
    this.#child?.kill('SIGTERM');
    try {
      if (this.#child) await within(SOON, this.#exit, 'the end of nginx');
    } finally {
      this.#child?.kill('SIGKILL');
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** One process, in the foreground, that leaves nothing elsewhere. */
function configuration(folder, port, snippet) {
  const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `
    daemon off;
    master_process off;
    pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off;
      ${temporary.join('\n')}
      server {
        listen 127.0.0.1:${port};
        ${snippet}
      }
    }
  `;
}

/** A port that was free a moment ago, for servers that cannot be asked which one they got. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
