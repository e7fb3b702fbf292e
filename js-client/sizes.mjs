// What a page loads: `node js-client/sizes.mjs`, the published scripts of this client and its peers after gzip -9.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { gzip } from 'pako';

export const SCRIPTS = [
  ['Hubwire', '../crates/hubwire/assets/hubwire.min.js'],
  ['phoenix', 'node_modules/phoenix/priv/static/phoenix.min.js'],
  ['@microsoft/signalr', 'node_modules/@microsoft/signalr/dist/browser/signalr.min.js'],
  ['socket.io-client', 'node_modules/socket.io-client/dist/socket.io.min.js'],
  ['sockjs-client', 'node_modules/sockjs-client/dist/sockjs.min.js'],
];

/** The rows of the README's table. */
export function rows() {
  return SCRIPTS.map(([name, path]) => {
    const bytes = readFileSync(new URL(path, import.meta.url));
    return `| ${name} | ${gzip(bytes, { level: 9 }).length.toLocaleString('en')} B |`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(rows().join('\n'));
