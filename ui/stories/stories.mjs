// The stories of the workspace, told by the built executable in real Chromium:
// `npm run stories`, or one of them with `-- --test-name-pattern hostile`.
import { after, describe, it } from 'node:test';
import { closeBrowser } from './kit/browser.mjs';
import { World } from './kit/world.mjs';

const NAMES = ['minute', 'setup'];
const LIMIT_MS = 170_000;

const stories = await Promise.all(NAMES.map((name) => import(`./${name}.story.mjs`)));

describe('in the browser', { concurrency: 2 }, () => {
  for (const { title, default: tell } of stories) {
    it(title, { timeout: LIMIT_MS }, async () => {
      const world = new World(title);
      await world.end(
        await tell(world).then(
          () => undefined,
          (err) => err,
        ),
      );
    });
  }
  after(closeBrowser);
});
