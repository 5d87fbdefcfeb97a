import assert from 'node:assert/strict';
import { until } from './kit/desk.mjs';
import { reads } from './kit/page.mjs';

export const title = 'by thumb: swipe to solve, undo, swipe to unread, answer in the sheet';

export default async function tell(world) {
  const desk = await world.desk();
  for (const subject of ['Broken pole', 'Gift card', 'Return label']) await desk.write(subject, 'Can you help?');
  await desk.waitTickets(3);
  const page = await world.window({ phone: true, signedIn: desk });
  await page.goto(desk.url + '/inbox/all?sort=created');
  await page.locator('.item').nth(2).waitFor();
  const subjects = () => page.locator('.item .sub').allInnerTexts();
  const all = ['Broken pole', 'Gift card', 'Return label'];

  await world.step('a swipe to the right solves, and Undo puts the row back where it stood', async () => {
    await swipe(page, 1, 200);
    await page.getByText('#1002 solved').waitFor();
    await until('the row is gone', async () => (await subjects()).length === 2);
    await page.getByRole('button', { name: 'Undo' }).tap();
    await until('the row is back', async () => (await subjects()).join() === all.join());
    assert.equal(new URL(page.url()).pathname, '/inbox/all', 'a swipe opens nothing');
  });

  await world.step('a swipe that comes to nothing changes nothing', async () => {
    await swipe(page, 1, 40);
    assert.deepEqual(await subjects(), all);
  });

  await world.step('the answer has the whole screen, and waits in its line when put away', async () => {
    await page.getByText('Broken pole').tap();
    await reads(page, 'Can you help?');
    await page.getByRole('button', { name: 'Reply to Maren' }).tap();
    const sheet = page.getByRole('dialog', { name: 'Reply to the customer' });
    await page.locator('.ProseMirror:focus').waitFor();
    await page.keyboard.type('A spare is waiting');
    assert.deepEqual(await sheet.boundingBox(), { x: 0, y: 0, width: 390, height: 844 });
    await page.getByRole('button', { name: 'Put the editor away' }).tap();
    await page.getByRole('button', { name: 'Draft: A spare is waiting' }).tap();
    await page.getByRole('button', { name: 'Send', exact: true }).tap();
    await sheet.waitFor({ state: 'detached' });
    await reads(page, 'A spare is waiting');
  });

  await world.step('a swipe to the left marks what was read unread', async () => {
    const unread = async () => (await desk.tickets()).find((one) => one.number === 1002).unread;
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await page.getByText('Gift card').tap();
    await until('it is read', async () => !(await unread()));
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await swipe(page, 1, -200);
    await until('it is unread', unread);
    await page.locator('.item.unread', { hasText: 'Gift card' }).waitFor();
  });
}

/** A finger on the row that moves dx px sideways. */
async function swipe(page, row, dx) {
  const { x, y, width, height } = await page.locator('.item').nth(row).boundingBox();
  const [from, middle] = [x + width / 2 - dx / 2, y + height / 2];
  const cdp = await page.context().newCDPSession(page);
  const touch = (type, ...points) =>
    cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map((at) => ({ x: at, y: middle })) });
  await touch('touchStart', from);
  for (let i = 1; i <= 10; i++) {
    await touch('touchMove', from + (dx * i) / 10);
    await page.waitForTimeout(25);
  }
  await touch('touchEnd');
  await cdp.detach();
}
