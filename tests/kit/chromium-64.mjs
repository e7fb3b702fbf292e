// A Chromium of 2018, from npm. It is too old for the libraries that drive today's, so it is driven by its own protocol.

import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';

import WebSocket from 'ws';

import { binaryPath } from './process.mjs';
import { Queue } from './queue.mjs';
import { spoken } from './spoken.mjs';
import { until, within } from './within.mjs';

const PACKED = fileURLToPath(new URL('../node_modules/chromium-64/bin/chromium.br', import.meta.url));

/** It starts and loads in this time, on a machine that is busy. */
const PATIENT = 60_000;

/** Why it cannot run, if it cannot: it is a binary for Linux on x64. */
export const skipChromium64 = !process.env.CI && (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(PACKED)) && 'no Chromium 64 for this machine';

/** Where it is unpacked, once, beside what cargo builds. */
async function binary() {
  const folder = join(dirname(dirname(binaryPath('test-server'))), 'chromium-64');
  const path = join(folder, 'chromium');
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const half = join(folder, `unpacking-${process.pid}`);
  await pipeline(createReadStream(PACKED), createBrotliDecompress(), createWriteStream(half, { mode: 0o755 }));
  renameSync(half, path);
  return path;
}

/** Opens a page, runs `scripts` in it, and gives what it says, line by line. */
export async function openChromium64(t, { url, globals, scripts }) {
  const profile = mkdtempSync(join(tmpdir(), 'hubwire-chromium-'));
  const args = [
    '--headless', '--no-sandbox', '--disable-gpu', '--single-process', '--no-zygote', '--disable-dev-shm-usage',
    `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank',
  ];
  const output = spoken(t, 'Chromium 64', await binary(), args);
  // Behind its end, since it writes there until then.
  t.after(() => rmSync(profile, { recursive: true, force: true }));
  const port = await listening(output);
  const target = await until(PATIENT, 'its first page', async () => (await (await fetch(`http://127.0.0.1:${port}/json`)).json())[0]);
  const page = await Page.open(t, target.webSocketDebuggerUrl);
  await page.load(url);
  await page.run(`Object.assign(window, ${JSON.stringify(globals)}); 0`);
  for (const script of scripts) await page.run(`${readFileSync(script, 'utf8')}\n; 0`);
  return page.lines;
}

/** The port that it says it is told what to do at. */
async function listening(output) {
  for (;;) {
    const [, port] = (await output.next(PATIENT)).match(/DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/) ?? [];
    if (port) return port;
  }
}

/** A page, driven by the DevTools protocol. */
class Page {
  /** What its scripts say. */
  lines = new Queue('the page in Chromium 64');
  #socket;
  #count = 0;
  #answers = new Map();
  #loaded;

  static async open(t, url) {
    const page = new Page();
    page.#socket = new WebSocket(url, { perMessageDeflate: false });
    t.after(() => page.#socket.terminate());
    await within(PATIENT, new Promise((resolve, reject) => page.#socket.on('open', resolve).on('error', reject)), 'the debugger');
    page.#socket.on('message', (text) => page.#receive(JSON.parse(text)));
    for (const domain of ['Page', 'Runtime']) await page.#ask(`${domain}.enable`);
    return page;
  }

  async load(url) {
    const loaded = new Promise((resolve) => (this.#loaded = resolve));
    await this.#ask('Page.navigate', { url });
    await within(PATIENT, loaded, `${url} to be loaded`);
  }

  async run(expression) {
    const { exceptionDetails } = await this.#ask('Runtime.evaluate', { expression });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  #ask(method, params) {
    const id = (this.#count += 1);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return within(PATIENT, new Promise((resolve) => this.#answers.set(id, resolve)), method);
  }

  #receive({ id, result, error, method, params }) {
    if (id) this.#answers.get(id)(result ?? { exceptionDetails: { text: error.message } });
    else if (method === 'Page.loadEventFired') this.#loaded?.();
    else if (method === 'Runtime.consoleAPICalled') this.lines.push(String(params.args[0]?.value));
    else if (method === 'Runtime.exceptionThrown') this.lines.push(`page error: ${params.exceptionDetails.text}`);
  }
}
