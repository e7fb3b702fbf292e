// Browsers of 2011 and 2013: PhantomJS 1.9.8 and 2.1.1, from npm.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { spoken } from './spoken.mjs';

const binary = (version) => fileURLToPath(new URL(`../node_modules/phantomjs-${version}/bin/linux/x64/phantomjs`, import.meta.url));
const DRIVER = fileURLToPath(new URL('pages/phantom.js', import.meta.url));

/** Why these cannot run, if they cannot: they are binaries for Linux on x64. */
export const skipPhantom = !process.env.CI && (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(binary(1))) && 'no PhantomJS for this machine';

// PhantomJS 1.9.8 looks for OpenSSL by itself and crashes on version 3. It does without when it finds none.
const NO_SSL = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
static void *(*real)(const char *, int);
void *dlopen(const char *name, int flags) {
  if (!real) real = dlsym(RTLD_NEXT, "dlopen");
  if (name && (strstr(name, "libssl") || strstr(name, "libcrypto"))) return 0;
  return real(name, flags);
}
`;

/** Opens a page in version 1 or 2, runs `scripts` in it, and gives what it says, line by line. */
export function openPhantom(t, version, options) {
  const env = { ...process.env };
  if (version === 1) {
    const directory = mkdtempSync(join(tmpdir(), 'hubwire-phantom-'));
    t.after(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'nossl.c'), NO_SSL);
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', join(directory, 'nossl.so'), join(directory, 'nossl.c'), '-ldl']);
    env.LD_PRELOAD = join(directory, 'nossl.so');
  } else {
    env.OPENSSL_CONF = '/dev/null';
  }
  return spoken(t, `PhantomJS ${version}`, binary(version), [DRIVER, JSON.stringify(options)], { env });
}
