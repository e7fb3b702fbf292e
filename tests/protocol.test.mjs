// docs/protocol.md does what it says: its commands are run, and must print what it shows.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { ServerProcess } from './kit/process.mjs';

const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');

/** The commands of the page with the output that it shows, in order. */
function conversation() {
  const steps = [];
  for (const [, block] of page.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of block.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: '' });
      else steps.at(-1).shown += `${line}\n`;
    }
  }
  return steps;
}

/** `…` stands for whatever differs from run to run. */
const pattern = (shown) => new RegExp(`^${shown.split('…').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+?')}$`);

test('the conversation goes as it is written', { timeout: 60_000 }, async () => {
  const server = await ServerProcess.start('minimal');
  try {
    const steps = conversation();
    assert.ok(steps.length > 10);
    const script = steps.map(({ command }) => `${command}\nprintf '\\0'\n`).join('');
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...process.env, URL: `${server.url}/chat` },
      timeout: 30_000,
    });
    stdout.split('\0').slice(0, -1).forEach((printed, index) => {
      assert.match(printed, pattern(steps[index].shown), steps[index].command);
    });
  } finally {
    await server.stop();
  }
});
