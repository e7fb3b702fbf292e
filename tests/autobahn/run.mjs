// The Autobahn test suite's fuzzing client against the echo example: `node tests/autobahn/run.mjs [case pattern…]`, from any directory.
//
// It needs Python 2.7 (PYTHON27 names one; otherwise it is looked for) with a C compiler, and installs the suite below the target directory once.
// Without Python 2.7 it says so and is content, unless CI is set. The report as HTML stays beside the suite.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ServerProcess } from '../kit/process.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The last releases that know Python 2.7. */
const VIRTUALENV = 'virtualenv==20.15.1';
const SUITE = 'autobahntestsuite==0.8.2';

/** Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, limits and performance, odd sizes, compression. 8 and 11 do not exist. */
const CASES = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '9.*', '10.*', '12.*', '13.*'];

/** More than the 16 MiB of the largest case. */
const SERVER = { MAX_MESSAGE_SIZE: String(64 << 20), COMPRESSION: 'on', RUST_LOG: 'warn' };

function run(command, args) {
  execFileSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

function works(python) {
  try {
    return /^2\.7\b/.test(execFileSync(python, ['-c', 'import sys; print(sys.version)'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  } catch {
    return false;
  }
}

/** A Python 2.7: the one that is named, pyenv's, or the system's. */
function python27() {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const versions = existsSync(pyenv) ? readdirSync(pyenv).filter((version) => version.startsWith('2.7.')) : [];
  const known = [process.env.PYTHON27, ...versions.map((version) => join(pyenv, version, 'bin', 'python2.7')), 'python2.7', 'python2', 'pypy'];
  return known.find((python) => python && works(python));
}

/** The suite's command, installed where it is not yet. */
function install(python, home) {
  const wstest = join(home, 'suite', 'bin', 'wstest');
  if (!existsSync(wstest)) {
    run('python3', ['-m', 'venv', '--clear', join(home, 'virtualenv')]);
    run(join(home, 'virtualenv', 'bin', 'pip'), ['install', '--quiet', VIRTUALENV]);
    run(join(home, 'virtualenv', 'bin', 'virtualenv'), ['--quiet', '--python', python, join(home, 'suite')]);
    run(join(home, 'suite', 'bin', 'pip'), ['install', '--quiet', SUITE]);
  }
  return wstest;
}

/** Runs the fuzzing client; gives its report: what became of each case. */
async function fuzz(wstest, home, url, cases) {
  const outdir = join(home, 'report');
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const spec = join(home, 'fuzzingclient.json');
  const servers = [{ agent: 'hubwire', url, options: { version: 18 } }];
  writeFileSync(spec, JSON.stringify({ outdir, servers, cases, 'exclude-cases': [], 'exclude-agent-cases': {} }));
  const client = spawn(wstest, ['-m', 'fuzzingclient', '-s', spec], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
  process.once('exit', () => client.kill('SIGKILL'));
  const [code] = await once(client, 'exit');
  if (code !== 0) throw new Error(`wstest ended with ${code}`);
  return JSON.parse(readFileSync(join(outdir, 'index.json'), 'utf8')).hubwire;
}

/** Whether a case went as it has to, closing included. Non-strict is what RFC 6455 allows and does not recommend; we need none of it. */
function isGood({ behavior, behaviorClose }) {
  return [behavior, behaviorClose].every((verdict) => verdict === 'OK' || verdict === 'INFORMATIONAL');
}

/** Prints what became of each section; gives the names of the cases that failed. */
function judge(report) {
  const names = Object.keys(report).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const sections = new Map();
  for (const name of names) {
    const section = name.split('.')[0];
    const counts = sections.get(section) ?? {};
    counts[report[name].behavior] = (counts[report[name].behavior] ?? 0) + 1;
    sections.set(section, counts);
  }
  for (const [section, counts] of sections) console.log(`${section}: ${Object.entries(counts).map((count) => count.reverse().join(' ')).join(', ')}`);
  const failed = names.filter((name) => !isGood(report[name]));
  for (const name of failed) console.log(`FAILED ${name}: ${report[name].behavior}, close ${report[name].behaviorClose} ${report[name].remoteCloseCode}`);
  console.log(`# pass ${names.length - failed.length}\n# fail ${failed.length}`);
  return { failed, names };
}

const python = python27();
if (!python) {
  console.log('the Autobahn test suite needs Python 2.7, and there is none: name it in PYTHON27, or `pyenv install 2.7.18`');
  process.exit(process.env.CI ? 1 : 0);
}
run('cargo', ['build', '--quiet', '--release', '-p', 'echo']);
const { target_directory: target } = JSON.parse(
  execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { cwd: ROOT, maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] }),
);
const home = join(target, 'autobahn');
mkdirSync(home, { recursive: true });
const wstest = install(python, home);
const server = await ServerProcess.start('echo', SERVER, 'release');
const cases = process.argv.length > 2 ? process.argv.slice(2) : CASES;
const { failed, names } = judge(await fuzz(wstest, home, `${server.url.replace('http', 'ws')}/echo`, cases));
console.log(`report: ${join(home, 'report', 'index.html')}`);
await server.stop();
if (failed.length > 0 || names.length === 0) process.exitCode = 1;
