import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browser, DESKTOP, PHONE } from './browser.mjs';
import { startDesk } from './desk.mjs';

const PICTURES = process.env.DESKBELL_STORY_PICTURES ?? join(tmpdir(), 'deskbell-stories');
const STEP_MS = 15_000;

/** What one story has of its own: desks, browser windows, and what went wrong in them. */
export class World {
  /** Errors of pages that no step expected. */
  problems = [];
  #title;
  #pages = [];
  #ends = [];

  constructor(title) {
    this.#title = title;
  }

  async desk(options) {
    const desk = await startDesk(options);
    this.atEnd(() => desk.stop());
    return desk;
  }

  atEnd(run) {
    this.#ends.unshift(run);
  }

  /**
   * A window of its own: other windows share nothing with it. signedIn is a
   * desk whose owner is signed in there; phone has touch.
   */
  async window({ signedIn, phone = false, ...options } = {}) {
    const context = await (
      await browser()
    ).newContext({
      viewport: phone ? PHONE : DESKTOP,
      hasTouch: phone,
      isMobile: phone,
      locale: 'en-US',
      timezoneId: 'Europe/Oslo',
      ...options,
    });
    this.atEnd(() => context.close());
    context.setDefaultTimeout(STEP_MS);
    if (signedIn) await context.addInitScript(keep, await signedIn.signIn());
    const page = await context.newPage();
    this.watch(page);
    return page;
  }

  watch(page) {
    this.#pages.push(page);
    page.on('pageerror', (err) => this.problems.push(`${page.url()}: ${err.stack ?? err}`));
    page.on('console', (message) => {
      // A failed request has its own sentence on the page; a story that expects none asserts so.
      const network = /^Failed to load resource|net::ERR_/.test(message.text());
      if (message.type() === 'error' && !network) this.problems.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  }

  /** One step of the story; where it fails it leaves a picture of every window. */
  async step(what, run) {
    const start = Date.now();
    try {
      const result = await run();
      if (process.env.DESKBELL_STORY_STEPS) process.stderr.write(`    ${Date.now() - start} ms  ${what}\n`);
      return result;
    } catch (err) {
      const paths = await this.picture(what);
      throw new Error(`${what}: ${err.message}\nPictures: ${paths.join(' ')}`, { cause: err });
    }
  }

  async picture(what) {
    await mkdir(PICTURES, { recursive: true });
    const open = this.#pages.filter((page) => !page.isClosed());
    return Promise.all(
      open.map(async (page, i) => {
        const path = join(PICTURES, `${`${this.#title} ${what} ${i + 1}`.replace(/\W+/g, '-')}.png`);
        await page.screenshot({ path }).catch(() => undefined);
        return path;
      }),
    );
  }

  /** Ends what was started, the last first; throws why the story failed, or what its pages complained about. */
  async end(failure) {
    for (const run of this.#ends) await run().catch((err) => (failure ??= err));
    if (failure) throw failure;
    assert.deepEqual(this.problems, [], 'errors in the pages');
  }
}

/** Runs in the page, before the workspace: where PocketBase's SDK keeps who is signed in. */
function keep(signed) {
  if (location.protocol === 'about:' || localStorage.getItem('pocketbase_auth')) return;
  localStorage.setItem('pocketbase_auth', JSON.stringify(signed));
}
