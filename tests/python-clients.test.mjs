// Two clients for Python, as PyPI has them, against the conformance example. They are installed below the target directory once.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { ServerProcess, binaryPath } from './kit/process.mjs';

const CLIENTS = ['pysignalr==1.3.3', 'signalrcore==1.0.2'];

const SCRIPTS = fileURLToPath(new URL('python/', import.meta.url));

/** Where they live: beside what cargo builds. */
const HOME = join(dirname(dirname(binaryPath('conformance'))), 'python-clients');

/** Whether there is a Python that can make a home for them. */
function canInstall() {
  try {
    execFileSync('python3', ['-c', 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** CI promises a Python; elsewhere its absence is said and skipped. */
const skip = !canInstall() && !process.env.CI && 'no Python 3.10 or newer with venv in PATH';

/** A mark that is written last, so that what broke off halfway is made again. */
function install() {
  const mark = join(HOME, CLIENTS.join(' '));
  if (existsSync(mark)) return;
  rmSync(HOME, { recursive: true, force: true });
  mkdirSync(dirname(HOME), { recursive: true });
  execFileSync('python3', ['-m', 'venv', HOME], { stdio: 'inherit' });
  execFileSync(join(HOME, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...CLIENTS], { stdio: 'inherit' });
  writeFileSync(mark, '');
}

let server;

before(async () => {
  if (skip) return;
  install();
  server = await ServerProcess.start('conformance');
});

after(() => server?.stop());

/** What a client heard that ran one of the scripts. */
async function run(script, path, ...args) {
  const file = join(SCRIPTS, `${script}.py`);
  const env = { ...process.env, PYTHONUTF8: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout } = await promisify(execFile)(join(HOME, 'bin', 'python'), [file, server.url + path, ...args], { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

const HEARD = {
  opened: true,
  echo: 'héllo',
  Notify: ['hi'],
  counter: [0, 1, 2],
  Sum: [42],
  error: "An unexpected error occurred invoking 'Fail' on the server. HubException: no",
};

test('pysignalr', { skip, timeout: 90_000 }, async () => {
  assert.deepEqual(await run('pysignalr_client', '/accept'), HEARD);
});

// Shakes hands with version 0, and needs the version in a negotiation that did not ask for one.
for (const transport of ['WebSockets', 'ServerSentEvents', 'LongPolling']) {
  test(`signalrcore over ${transport}`, { skip, timeout: 90_000 }, async () => {
    // Its polls are short there.
    const path = '/accept-fast';
    assert.deepEqual(await run('signalrcore_client', path, transport), { ...HEARD, closed: true });
  });
}
