// What an idle client costs a server in memory: `node tests/compare/idle.mjs`, in one run for Hubwire and its peers.
// Both listen on loopback with their defaults; 1,000 clients connect over WebSocket, shake hands and stay silent.

import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import WebSocket from 'ws';

const HERE = dirname(fileURLToPath(import.meta.url));
const CLIENTS = 1_000;

const cargo = (...args) => execFileSync('cargo', args, { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });

cargo('build', '--release', '-p', 'minimal');
const target = JSON.parse(cargo('metadata', '--no-deps', '--format-version', '1')).target_directory;

const SERVERS = [
  {
    name: 'Hubwire',
    command: [join(target, 'release', 'minimal')],
    path: '/chat',
    opening: '{"protocol":"json","version":1}\x1e',
    opened: (text) => text === '{}\x1e',
  },
  {
    name: 'Socket.IO (node)',
    command: [process.execPath, join(HERE, 'socket-io-server.mjs')],
    path: '/socket.io/?EIO=4&transport=websocket',
    opening: '40',
    opened: (text) => text.startsWith('40'),
  },
];

for (const server of SERVERS) {
  console.log(`${server.name}: ${(await idle(server)).toFixed(1)} KiB per idle client`);
}

async function idle({ command, path, opening, opened }) {
  const child = spawn(command[0], command.slice(1), { env: { ...process.env, PORT: '0', RUST_LOG: 'error' }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const address = await new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = line.match(/127\.0\.0\.1:\d+/);
        if (found) resolve(found[0]);
      });
    });
    const connect = () => new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${address}${path}`);
      socket.on('open', () => socket.send(opening));
      socket.on('message', (data) => opened(String(data)) && resolve(socket));
      socket.on('error', reject);
    });
    // The first few are on the house: code and pools that any client would have loaded.
    await Promise.all(Array.from({ length: 20 }, connect));
    const before = resident(child.pid);
    await Promise.all(Array.from({ length: CLIENTS }, connect));
    return (resident(child.pid) - before) / CLIENTS;
  } finally {
    child.kill('SIGKILL');
  }
}

function resident(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)[1]);
}
