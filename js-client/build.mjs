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

// Rollup's own is twice as long, for cases that are none here.
const UMD = `(function (root, factory) {
  if (typeof exports === 'object') factory(exports);
  else if (typeof define === 'function' && define.amd) define(['exports'], factory);
  else factory(root.hubwire = {});
})(this, function (exports) {`;

// More find less and less; so many take some seconds.
const ATTEMPTS = 40_000;

const require = createRequire(import.meta.url);

/** The copy that servers hand out. */
export const ASSET = fileURLToPath(new URL('../crates/hubwire/assets/hubwire.min.js', import.meta.url));

/** What that copy is to be, once the package is built: its script, without the word about a map that is not there. */
export function asset() {
  return readFileSync(`${HERE}dist/hubwire.min.js`, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n$/, '\n');
}

/** Writes the package's files to `dist`, by way of `work`. */
export async function build(dist = `${HERE}dist/`, work = `${HERE}build/`) {
  for (const directory of [dist, work]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', HERE, '--outDir', work], { stdio: 'inherit' });

  const bundle = await rollup({ input: `${work}index.js`, plugins: [sourceMaps()] });
  const shared = { sourcemap: true, generatedCode: 'es5', banner: BANNER, externalLiveBindings: false, esModule: false, freeze: false };
  await write(bundle, { ...shared, format: 'es' }, `${dist}hubwire.mjs`);
  const umd = { banner: `${BANNER}\n${UMD}`, footer: '});', format: 'cjs', strict: false };
  await write(bundle, { ...shared, ...umd }, `${dist}hubwire.min.js`);
  rmSync(work, { recursive: true });

  copyFileSync(`${dist}hubwire.min.js`, `${dist}hubwire.cjs`);
  for (const types of ['hubwire.d.mts', 'hubwire.d.cts']) copyFileSync(`${HERE}src/hubwire.d.ts`, `${dist}${types}`);
}

async function write(bundle, options, file) {
  const { output: [{ code, map }] } = await bundle.generate({ ...options, file });
  const name = file.replace(/^.*\//, '');
  const small = await minify({ [name]: code }, {
    ecma: 5,
    ie8: false,
    module: options.format === 'es',
    compress: { passes: 3, unsafe_arrows: false, pure_getters: true, keep_fargs: false, hoist_props: true },
    // A name with an underscore before it is nobody's but ours.
    mangle: { properties: { regex: /^_[a-z]/ } },
    format: { comments: /^!/ },
    sourceMap: { content: JSON.stringify(map), filename: name, url: `${name}.map`, includeSources: true },
  });
  writeFileSync(file, `${options.format === 'es' ? small.code : rename(small.code, ATTEMPTS)}\n`);
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
  writeFileSync(ASSET, asset());
}
