// A real Chromium and a real Firefox, from the system.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const find = (...names) =>
  names.flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name))).find(existsSync);
const executablePath = find('chromium', 'chromium-browser', 'google-chrome');
const firefoxPath = find('firefox-esr', 'firefox');

/** Why tests in a browser cannot run, if they cannot. CI promises a browser; elsewhere its absence is said and skipped. */
export const skip = !executablePath && !process.env.CI && 'no Chromium in PATH';

export function launch() {
  return chromium.launch({
    executablePath,
    // Chromium refuses its sandbox to root; the rest keeps it from talking to anybody but the server.
    args: [
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The same for Firefox. */
export const skipFirefox = !firefoxPath && !process.env.CI && 'no Firefox in PATH';

/** Firefox, which playwright cannot drive as it comes from the system. */
export function launchFirefox() {
  return puppeteer.launch({ browser: 'firefox', protocol: 'webDriverBiDi', executablePath: firefoxPath, headless: true });
}
