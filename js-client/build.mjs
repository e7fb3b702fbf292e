// Builds the package: `npm run build`. TypeScript takes the types off, rollup makes one file of it, terser a small one,
// and what pages load gets the names that compress best: those of the committed copy as long as the code is that one's.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { rollup } from 'rollup';
import { minify } from 'terser';

import { adopt, rename } from './names.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const BANNER = '/*!hubwire MIT*/';

// How often better names are sought where the code is new, from the committed ones on, which takes a minute: more find less and less.
const ATTEMPTS = 20_000;

// A script in a page is called on the global object, and leaves its exports there. Rollup's own wrapper is four times as
// long, for loaders that are none here. A module has to find the global object.
const GLOBAL = "typeof self === 'undefined' ? global : self";

/**
 * What the package offers: the client, and what is loaded beside it only where it is wanted. Each is a function of
 * `parameters`, which a page's script calls with `inPage` and a module of Node with `inNode`.
 */
const ENTRIES = [
  { source: 'index', name: 'hubwire', parameters: 'scope, exports', inPage: 'this,this.hubwire={}', inNode: `${GLOBAL},exports` },
  { source: 'msgpack', name: 'msgpack', parameters: 'exports', inPage: 'this.hubwire=this.hubwire||{}', inNode: 'exports' },
];

const require = createRequire(import.meta.url);

/** The copies that servers hand out: where each is, and what it is to be, once the package is built. */
export function assets() {
  return ENTRIES.map(({ name }) => ({ path: assetOf(name), text: readFileSync(`${HERE}dist/${name}.min.js`, 'utf8') }));
}

function assetOf(name) {
  return fileURLToPath(new URL(`../crates/hubwire/assets/${name}.min.js`, import.meta.url));
}

/** Writes the package's files to `dist`, by way of `work`. Where the code is new, `attempts` is how often better names are sought. */
export async function build(attempts = 0, dist = `${HERE}dist/`, work = `${HERE}build/`) {
  for (const directory of [dist, work]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', HERE, '--outDir', work], { stdio: 'inherit' });

  const shared = { sourcemap: true, generatedCode: 'es5', externalLiveBindings: false, esModule: false, freeze: false };
  for (const { source, name, parameters, inPage, inNode } of ENTRIES) {
    const bundle = await rollup({ input: `${work}${source}.js`, plugins: [sourceMaps()] });
    const intro = parameters.startsWith('scope') ? `var scope = ${GLOBAL};` : '';
    const module = await small(bundle, { ...shared, format: 'es', banner: BANNER, intro }, `${dist}${name}.mjs`);
    put(`${dist}${name}.mjs`, module.code, module.map);

    const script = { format: 'cjs', strict: false, banner: `${BANNER}\n(function (${parameters}) {`, footer: `})(${inPage});` };
    const { code, map } = await small(bundle, { ...shared, ...script }, `${dist}${name}.min.js`);
    const known = readFileSync(assetOf(name), 'utf8').trimEnd();
    const [plain, comment] = code.split(/(?=\n\/\/# sourceMappingURL)/);
    const named = adopt(plain, known) ?? rename(plain, known, attempts);
    // Without the word about a map, which is not beside the copies.
    put(`${dist}${name}.min.js`, named, map);
    // Only its end is another, so that the map is true of it too.
    put(`${dist}${name}.cjs`, named.replace(`(${inPage})`, `(${inNode})`) + comment.replace('.min.js', '.cjs'), map);
    for (const types of ['d.mts', 'd.cts']) writeFileSync(`${dist}${name}.${types}`, declarations(name));
  }
  rmSync(work, { recursive: true });
}

function put(file, code, map) {
  writeFileSync(file, `${code}\n`);
  writeFileSync(`${file}.map`, map);
}

/** The types. Ours are put in place by the compiler, an application's may want them at run time. */
function declarations(name) {
  return readFileSync(`${HERE}src/${name}.d.ts`, 'utf8').replaceAll('declare const enum', 'declare enum');
}

async function small(bundle, options, file) {
  const { output: [{ code, map }] } = await bundle.generate({ ...options, file });
  const name = file.replace(/^.*\//, '');
  return minify({ [name]: code }, {
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
  await build(Number(process.argv[2] ?? ATTEMPTS));
  for (const { path, text } of assets()) writeFileSync(path, text);
}
