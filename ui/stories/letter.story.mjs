import assert from 'node:assert/strict';
import { compose } from './hostile/mime.mjs';
import { deliver } from './hostile/smtp.mjs';
import { SUPPORT } from './kit/desk.mjs';
import { reads } from './kit/page.mjs';

export const title = 'a letter in HTML: our font, and no more room than its words';

export default async function tell(world) {
  const desk = await world.desk({ args: ['--smtp', '127.0.0.1:0'] });
  const html = '<div><p>The pole broke at the second joint.</p><div><p>Is there a spare in Bergen?</p></div></div>';
  await deliver(desk.smtp, [compose({ from: 'maren@example.net', to: SUPPORT, subject: 'Broken pole', html })]);
  await desk.waitTickets(1);
  const page = await world.window({ signedIn: desk });

  await world.step('its frame wears the font of the desk, though no font may load there', async () => {
    await page.goto(desk.url + '/inbox/all/1001');
    await reads(page, 'a spare in Bergen');
    await page.waitForFunction(() =>
      [...document.querySelector('article iframe').contentDocument.fonts].some((font) => font.status === 'loaded'),
    );
  });
  await world.step('below the last line there is nothing', async () => {
    const [frame, words] = await page.evaluate(() => {
      const one = document.querySelector('article iframe');
      const last = [...one.contentDocument.querySelectorAll('p')].at(-1);
      return [one.clientHeight, last.getBoundingClientRect().bottom];
    });
    assert.ok(frame - words < 3, `the frame is ${frame} px high, its words end at ${words}`);
  });
}
