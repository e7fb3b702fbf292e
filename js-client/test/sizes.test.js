'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

test('the README says what the scripts weigh', async () => {
  const { rows } = await import('../sizes.mjs');
  const readme = fs.readFileSync(path.join(__dirname, '..', '..', 'README.md'), 'utf8');
  for (const row of rows()) assert.ok(readme.includes(row), `not in the README: ${row}`);
});
