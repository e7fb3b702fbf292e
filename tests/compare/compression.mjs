// What compression costs and saves: `node tests/compare/compression.mjs`.
// A message of 1 KiB of JSON goes to 1,000 clients, again and again, with compression off and on, in turns; the quietest of three runs counts.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import WebSocket from 'ws';

const HERE = dirname(fileURLToPath(import.meta.url));
const CLIENTS = 1_000;
const BROADCASTS = 100;
const RUNS = 3;
const END = '\x1e';

const cargo = (...args) => execFileSync('cargo', args, { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
cargo('build', '--release', '-p', 'hubwire-tests', '--bin', 'test-server');
const target = JSON.parse(cargo('metadata', '--no-deps', '--format-version', '1')).target_directory;

const orders = Array.from({ length: 11 }, (_, i) => ({ id: 4711 + i * 37, symbol: `SYM${i}`, side: i % 2 ? 'buy' : 'sell', price: 100.25 + i * 1.5, quantity: 10 * i }));
const text = JSON.stringify(orders).padEnd(1024);

const best = {};
for (let run = 0; run < RUNS; run += 1) {
  for (const [name, path] of [['off', '/big'], ['on', '/compressed']]) {
    const result = await measure(path);
    if (!best[name] || result.cpu < best[name].cpu) best[name] = result;
  }
}
for (const [name, { cpu, bytes }] of Object.entries(best)) {
  console.log(`compression ${name}: ${bytes.toFixed(0)} B and ${cpu.toFixed(2)} µs of server CPU per delivery of ${text.length} B`);
}

async function measure(path) {
  const child = spawn(join(target, 'release', 'test-server'), { env: { ...process.env, PORT: '0', RUST_LOG: 'error' }, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const url = await new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => resolve(line.match(/\/\/127\.0\.0\.1:\d+/)[0]));
    });
    let received = 0;
    let all = () => {};
    const connect = () => new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws:${url}${path}`);
      socket.on('open', () => socket.send(`{"protocol":"json","version":1}${END}`));
      socket.on('message', (data) => {
        const messages = data.toString().split(END).slice(0, -1);
        if (messages[0] === '{}') return resolve(socket);
        received += messages.filter((message) => message.includes('"Notify"')).length;
        if (received === CLIENTS * BROADCASTS) all();
      });
      socket.on('error', reject);
    });
    const sockets = [];
    while (sockets.length < CLIENTS) sockets.push(...(await Promise.all(Array.from({ length: 100 }, connect))));
    const read = () => sockets.reduce((sum, socket) => sum + socket._socket.bytesRead, 0);
    const before = { cpu: cpu(child.pid), bytes: read() };
    const done = new Promise((resolve) => (all = resolve));
    for (let i = 1; i <= BROADCASTS; i += 1) {
      sockets[0].send(JSON.stringify({ type: 1, target: 'SendAll', arguments: [text] }) + END);
      // One after another, or some would be framed together.
      while (received < CLIENTS * i) await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    const deliveries = CLIENTS * BROADCASTS;
    return { cpu: (cpu(child.pid) - before.cpu) / deliveries, bytes: (read() - before.bytes) / deliveries };
  } finally {
    child.kill('SIGKILL');
  }
}

/** µs of CPU that a process has used. */
function cpu(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1000;
}
