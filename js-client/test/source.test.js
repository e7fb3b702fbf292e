'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const zlib = require('node:zlib');

const acorn = require('acorn');

const SOURCE = path.join(__dirname, '..', 'src', 'hubwire.js');
const ASSET = path.join(__dirname, '..', '..', 'crates', 'hubwire', 'assets', 'hubwire.js');

// Bytes after gzip -9, comments included: what a page pays when the server compresses.
const BUDGET = 5500;

const source = fs.readFileSync(SOURCE);

test('the client is ES5, for browsers that never learned more', () => {
  acorn.parse(source.toString(), { ecmaVersion: 5, sourceType: 'script' });
});

test('the client stays within its byte budget', (t) => {
  const size = zlib.gzipSync(source, { level: 9 }).length;
  t.diagnostic(`${size} of ${BUDGET} bytes`);
  assert.ok(size <= BUDGET, `${size} bytes are over the budget of ${BUDGET}`);
});

test('the server hands out the client that is in src', () => {
  assert.ok(source.equals(fs.readFileSync(ASSET)), 'the asset is stale: npm run build');
});
