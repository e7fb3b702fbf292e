// Bundlers, as an application has them: each makes one script of the module at `entry`, with `directory` to work in.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';

export const BUNDLERS = {
  async esbuild(entry) {
    const { outputFiles: [{ text }] } = await esbuild.build({ entryPoints: [entry], bundle: true, minify: true, write: false, format: 'iife', target: 'es5' });
    return text;
  },

  async vite(entry, directory) {
    const { output: [{ code }] } = await vite.build({
      root: directory, configFile: false, logLevel: 'error', build: { write: false, rollupOptions: { input: entry } },
    });
    return code;
  },

  async webpack(entry, directory) {
    const options = { context: directory, mode: 'production', target: ['web', 'es5'], entry, output: { path: directory, filename: 'out.js' } };
    const stats = await new Promise((resolve, reject) => {
      webpack(options, (error, stats) => (error ? reject(error) : resolve(stats)));
    });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
    return readFileSync(join(directory, 'out.js'), 'utf8');
  },
};
