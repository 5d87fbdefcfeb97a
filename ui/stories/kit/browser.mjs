import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

let running;

/** The one Chromium of all stories. */
export function browser() {
  return (running ??= chromium.launch({ executablePath: find(), args: ARGS }));
}

export async function closeBrowser() {
  await (await running)?.close();
}

function find() {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(dir, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(`The browser stories need Chromium: none of ${NAMES.join(', ')} is in PATH.`);
}
