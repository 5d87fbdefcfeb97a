import assert from 'node:assert/strict';
import { reads } from './kit/page.mjs';

export const title = 'links: to one message, and back to the list where one stood';

export default async function tell(world) {
  const desk = await world.desk();
  for (let i = 1; i <= 25; i++) await desk.write(`Subject ${i}`, `The first words of ${i}`);
  await desk.waitTickets(25);
  const one = '/api/desk/tickets/1001';
  for (const text of ['Two', 'Three', 'Four', 'Five', 'Six']) {
    await desk.call('POST', one + '/notes', { body: `<p>${text}</p>` });
  }
  const first = (await desk.call('GET', one)).messages.items.find((message) => message.kind === 'customer');
  const page = await world.window({ signedIn: desk });

  await world.step('a link to a message unfolds it and leads there', async () => {
    await page.goto(`${desk.url}/inbox/all/1001#m-${first.id}`);
    await reads(page, 'The first words of 1');
    await page.waitForFunction((id) => document.activeElement?.id === `m-${id}`, first.id);
    assert.equal(await page.locator('article:focus time').evaluate((time) => time.closest('a').hash), `#m-${first.id}`);
  });
  await world.step('back finds the list scrolled as it was', async () => {
    await page.goto(desk.url + '/inbox/all');
    await page.locator('.item').nth(5).waitFor();
    const box = page.locator('.list .scroll');
    await box.evaluate((list) => (list.scrollTop = 700));
    await page.waitForTimeout(300);
    const before = await box.evaluate((list) => list.scrollTop);
    await page.getByRole('link', { name: 'Sent' }).click();
    await page.getByRole('heading', { name: 'Sent' }).waitFor();
    await page.goBack();
    await page.waitForFunction(
      (at) => Math.abs((document.querySelector('.list .scroll')?.scrollTop ?? 0) - at) < 40,
      before,
    );
  });
}
