// docs/testing.md does what it says: its test over a real server is run as it stands there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binaryPath } from './kit/process.mjs';

test('the test over a real server passes', { timeout: 60_000 }, async () => {
  const page = readFileSync(new URL('../docs/testing.md', import.meta.url), 'utf8');
  const [, script] = page.match(/^```js\n(.*?)^```$/ms);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // From here it finds the client that the tests use.
  const runner = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...env, SERVER: binaryPath('chat'), RUST_LOG: 'error' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  runner.stdout.on('data', (data) => (printed += data));
  runner.stdin.end(script);
  const [code] = await once(runner, 'close');
  assert.equal(code, 0, printed);
  assert.match(printed, /^# pass 1$|^ℹ pass 1$/m);
});
