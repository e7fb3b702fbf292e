// Builds the package: `npm run build`. TypeScript takes the types off, rollup makes one file of it, terser a small one,
// and what pages load gets the names that compress best.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { rollup } from 'rollup';
import { minify } from 'terser';

import { rename } from './names.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const BANNER = '/*! hubwire | MIT OR Apache-2.0 */';

// Rollup's own is twice as long, for cases that are none here. What is added to the client comes behind it.
const umd = (global) => `(function (root, factory) {
  if (typeof exports === 'object') factory(exports);
  else if (typeof define === 'function' && define.amd) define(['exports'], factory);
  else factory(root.hubwire = ${global});
})(this, function (exports) {`;

/**
 * What the package offers: the client, and what is loaded beside it only where it is wanted. `attempts` are those to find
 * better names, of which more find less and less; so many take some seconds.
 */
const ENTRIES = [
  { source: 'index', name: 'hubwire', header: umd('{}'), attempts: 40_000 },
  { source: 'msgpack', name: 'msgpack', header: umd('root.hubwire || {}'), attempts: 0 },
];

const require = createRequire(import.meta.url);

/** The copies that servers hand out: where each is, and what it is to be, once the package is built. */
export function assets() {
  return ENTRIES.map(({ name }) => ({
    path: fileURLToPath(new URL(`../crates/hubwire/assets/${name}.min.js`, import.meta.url)),
    // The package's script, without the word about a map that is not there.
    text: readFileSync(`${HERE}dist/${name}.min.js`, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n$/, '\n'),
  }));
}

/** Writes the package's files to `dist`, by way of `work`. */
export async function build(dist = `${HERE}dist/`, work = `${HERE}build/`) {
  for (const directory of [dist, work]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', HERE, '--outDir', work], { stdio: 'inherit' });

  const shared = { sourcemap: true, generatedCode: 'es5', banner: BANNER, externalLiveBindings: false, esModule: false, freeze: false };
  for (const { source, name, header, attempts } of ENTRIES) {
    const bundle = await rollup({ input: `${work}${source}.js`, plugins: [sourceMaps()] });
    await write(bundle, { ...shared, format: 'es' }, `${dist}${name}.mjs`, 0);
    const script = { banner: `${BANNER}\n${header}`, footer: '});', format: 'cjs', strict: false };
    await write(bundle, { ...shared, ...script }, `${dist}${name}.min.js`, attempts);
    copyFileSync(`${dist}${name}.min.js`, `${dist}${name}.cjs`);
    for (const types of ['d.mts', 'd.cts']) copyFileSync(`${HERE}src/${name}.d.ts`, `${dist}${name}.${types}`);
  }
  rmSync(work, { recursive: true });
}

async function write(bundle, options, file, attempts) {
  const { output: [{ code, map }] } = await bundle.generate({ ...options, file });
  const name = file.replace(/^.*\//, '');
  const small = await minify({ [name]: code }, {
    ecma: 5,
    ie8: false,
    module: options.format === 'es',
    compress: { passes: 3, unsafe_arrows: false, pure_getters: true, keep_fargs: false, hoist_props: true },
    // A name with an underscore before it is nobody's but ours.
    mangle: { properties: { regex: /^_[a-z]/ } },
    // Pages have every encoding.
    format: { comments: /^!/, ascii_only: true },
    sourceMap: { content: JSON.stringify(map), filename: name, url: `${name}.map`, includeSources: true },
  });
  writeFileSync(file, `${attempts ? rename(small.code, attempts) : small.code}\n`);
  writeFileSync(`${file}.map`, small.map);
}

/** Lets rollup know what tsc noted about where lines come from. */
function sourceMaps() {
  return {
    name: 'source-maps',
    load(id) {
      const map = JSON.parse(readFileSync(`${id}.map`, 'utf8'));
      map.sources = map.sources.map((source) => `../src/${source.replace(/^.*\//, '')}`);
      return { code: readFileSync(id, 'utf8').replace(/\n\/\/# sourceMappingURL=.*$/, ''), map };
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build();
  for (const { path, text } of assets()) writeFileSync(path, text);
}
