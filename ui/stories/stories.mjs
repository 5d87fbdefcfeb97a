// The stories of the workspace, told by the built executable in real Chromium:
// `npm run stories`, or some of them: `STORY=hostile,setup npm run stories`.
//
// DESKBELL_BINARY        the executable, instead of dist/deskbell
// DESKBELL_SCREENSHOT=1  writes the README's picture, ui/docs/inbox.png
// DESKBELL_STORY_STEPS=1 says how long each step took
// DESKBELL_STORY_ALL=1   keeps a picture of every page, not only where a step fails
// DESKBELL_STORY_PICTURES where pictures go, instead of deskbell-stories in the temporary folder
import { after, describe, it } from 'node:test';
import { closeBrowser } from './kit/browser.mjs';
import { World } from './kit/world.mjs';

// The longest first: two at a time.
const NAMES = ['phone', 'german', 'pages', 'hostile', 'draft', 'pair', 'minute', 'thumb', 'letter', 'link', 'setup'];
const LIMIT_MS = 170_000;

const wanted = process.env.STORY?.split(',') ?? NAMES;
const stories = await Promise.all(wanted.map((name) => import(`./${name}.story.mjs`)));

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
