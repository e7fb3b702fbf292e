// The package as it is published: what it weighs, what engines and tools make of it, and that what is committed is what is built.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';

import { parse } from 'acorn';
import { gzip } from 'pako';

import { assets, build } from '../build.mjs';
import { rows } from '../sizes.mjs';
import { BUNDLERS } from './bundlers.mjs';

const HERE = fileURLToPath(new URL('../', import.meta.url));

// Bytes after gzip -9: what a page pays when the server compresses. Modules also have to find the global object and to name
// their map, and bundlers give names of their own to what is in them.
const BUDGETS = {
  'hubwire.min.js': 5_500, 'hubwire.cjs': 5_600, 'hubwire.mjs': 5_850,
  'msgpack.min.js': 2_500, 'msgpack.cjs': 2_500, 'msgpack.mjs': 2_500,
};

const SHIPPED = Object.keys(BUDGETS).map((name) => [name, name.endsWith('.mjs') ? 'module' : 'script']);

const shipped = (name) => readFileSync(join(HERE, 'dist', name));

/** Runs a tool of node_modules and gives what it prints; fails, with all of it, if the tool does. */
function run(tool, ...args) {
  try {
    return execFileSync(process.execPath, [join(HERE, 'node_modules', tool), ...args], { cwd: HERE, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`${tool} ${args.join(' ')}\n${error.stdout}${error.stderr}`);
  }
}

before(() => build());

test('the server hands out what the sources are built to', () => {
  for (const { path, text } of assets()) assert.ok(readFileSync(path, 'utf8') === text, `${path} is stale: npm run build`);
});

for (const [name, sourceType] of SHIPPED) {
  test(`${name} is ES5${sourceType === 'module' ? ' but for its exports' : ''}`, () => {
    const code = shipped(name).toString();
    // The least that acorn reads modules in; without its last statement, the exports, the rest is a script.
    parse(code, { ecmaVersion: sourceType === 'module' ? 6 : 5, sourceType });
    if (sourceType === 'module') parse(code.replace(/export\s*\{[^}]*\};/, ''), { ecmaVersion: 5 });
    assert.doesNotMatch(code, /__(extends|assign|awaiter|spreadArray|generator)/);
  });

  test(`${name} stays within its byte budget`, (t) => {
    // As Node has it, and as everybody else.
    const size = Math.max(gzipSync(shipped(name), { level: 9 }).length, gzip(shipped(name), { level: 9 }).length);
    t.diagnostic(`${size} of ${BUDGETS[name]} bytes`);
    assert.ok(size <= BUDGETS[name], `${size} bytes are over the budget of ${BUDGETS[name]}`);
  });
}

test('the README says what the scripts weigh', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const row of rows()) assert.ok(readme.includes(row), `not in the README: ${row}`);
});

test('what is beside the client needs nothing of it', async () => {
  const { MessagePackHubProtocol } = await import('hubwire/msgpack');
  assert.deepEqual(Object.keys(createRequire(import.meta.url)('hubwire/msgpack')), ['MessagePackHubProtocol']);
  assert.equal(new MessagePackHubProtocol().name, 'messagepack');
});

test('both module systems of Node get the same names, without a window', async () => {
  const required = createRequire(import.meta.url)('hubwire');
  const imported = await import('hubwire');
  assert.deepEqual(Object.keys(imported).filter((name) => !/^(default|module\.exports)$/.test(name)).sort(), Object.keys(required).sort());
  assert.equal(typeof required.HubConnectionBuilder, 'function');
});

test('source maps lead to the sources', () => {
  for (const name of ['hubwire.min.js', 'hubwire.mjs']) {
    const map = JSON.parse(shipped(`${name}.map`));
    assert.ok(map.sources.includes('../src/hub-connection.ts'), map.sources.join());
    assert.match(map.sourcesContent[map.sources.indexOf('../src/hub-connection.ts')], /What the application holds/);
  }
});

test('a program compiles against this package and against the official one', () => {
  for (const name of ['hubwire', '@microsoft/signalr']) {
    const directory = mkdtempSync(join(HERE, 'types-'));
    try {
      const program = readFileSync(new URL('types/program.ts', import.meta.url), 'utf8');
      const beside = { hubwire: 'hubwire/msgpack' }[name] ?? `${name}-protocol-msgpack`;
      writeFileSync(join(directory, 'program.ts'), program.replaceAll("'@microsoft/signalr'", `'${name}'`).replace("'@microsoft/signalr-protocol-msgpack'", `'${beside}'`));
      const options = ['--noEmit', '--strict', '--target', 'ES2020', '--lib', 'ES2020,DOM', '--skipLibCheck', 'false'];
      for (const resolution of [['Node16', 'Node16'], ['ES2020', 'Bundler']]) {
        run('typescript/bin/tsc', ...options, '--module', resolution[0], '--moduleResolution', resolution[1], join(directory, 'program.ts'));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
});

test('everything that the official package exports is here', async () => {
  const official = Object.keys(await import('@microsoft/signalr')).filter((name) => !/^(default|__esModule|module\.exports)$/.test(name));
  const ours = Object.keys(await import('hubwire'));
  assert.deepEqual(official.filter((name) => !ours.includes(name)), []);
});

test('publint and attw have nothing to say', () => {
  run('publint/src/cli.js', '--strict');
  run('@arethetypeswrong/cli/dist/index.js', '--pack', '--exclude-entrypoints', 'hubwire.min.js', 'msgpack.min.js');
});

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`${name} makes a page of it`, async (t) => {
    // Inside the package, so that its own name leads to it.
    const directory = mkdtempSync(join(HERE, 'bundle-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const entry = join(directory, 'page.js');
    writeFileSync(entry, `
      import { HubConnectionBuilder } from 'hubwire';
      import { MessagePackHubProtocol } from 'hubwire/msgpack';
      self.made = new HubConnectionBuilder().withUrl('http://example.org/hub').withHubProtocol(new MessagePackHubProtocol()).build();
    `);
    const context = vm.createContext({ setTimeout, clearTimeout });
    vm.runInContext(`self = this; ${await bundle(entry, directory)}`, context);
    assert.equal(context.made.state, 'Disconnected');
  });
}
