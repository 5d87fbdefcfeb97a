import assert from 'node:assert/strict';
import { COMPANY, OWNER, SUPPORT } from './kit/desk.mjs';

export const title = 'the first start: a link that works once leads into the inbox';

export default async function (world) {
  const desk = await world.desk({ setUp: false });
  const page = await world.window();
  const next = () => page.getByRole('button', { name: 'Continue' }).click();

  await world.step('the company', async () => {
    await page.goto(desk.link);
    await page.getByLabel('Company name').fill(COMPANY);
    await page.keyboard.press('Enter');
  });
  await world.step('the owner', async () => {
    await page.getByLabel('Your name').fill(OWNER.name);
    await page.getByLabel('E-mail').fill(OWNER.email);
    await page.getByLabel('Password').fill('short');
    assert.ok(await page.getByRole('button', { name: 'Continue' }).isDisabled(), 'a short password goes on');
    await page.getByLabel('Password').fill(OWNER.password);
    await page.keyboard.press('Enter');
  });
  await world.step('time zone and hours, on a clock of 24 hours', async () => {
    await page.getByLabel('Time zone').selectOption('Europe/Oslo');
    assert.equal(await page.getByLabel('Monday, until').inputValue(), '17:00');
    await page.getByLabel('Monday, until').fill('4:30 pm');
    await page.getByRole('switch', { name: 'Friday' }).click();
    assert.equal(await page.getByLabel('Monday, until').inputValue(), '16:30');
    await next();
  });
  await world.step('the address, and the sandbox', async () => {
    assert.equal(await page.getByLabel('Address your customers write to').inputValue(), SUPPORT);
    await page.getByLabel('Address your customers write to').fill('help@fjellkant.example');
    await page.getByRole('button', { name: 'Stay in the sandbox' }).click();
    await page.getByText('You are signed in').waitFor();
  });
  await world.step('the inbox', async () => {
    await page.getByRole('link', { name: 'Open the inbox' }).click();
    await page.waitForURL('**/inbox/mine');
    await page.getByText(COMPANY).first().waitFor();
    await page.getByRole('link', { name: 'Write yourself a test mail' }).waitFor();
  });
  await world.step('the answers were kept', async () => {
    await page.goto(desk.url + '/settings/general');
    assert.equal(await page.getByLabel('Company name').inputValue(), COMPANY);
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Oslo');
    assert.equal(await page.getByLabel('Monday, until').inputValue(), '16:30');
    assert.equal(await page.getByRole('switch', { name: 'Friday' }).getAttribute('aria-checked'), 'false');
    const { items } = await desk.call('GET', '/api/desk/mailboxes');
    assert.deepEqual(
      items.map((box) => [box.address, box.kind]),
      [['help@fjellkant.example', 'sandbox']],
    );
  });
  await world.step('the link no longer works', async () => {
    await page.goto(desk.link);
    await page.getByText('This desk is set up').waitFor();
    const stranger = await world.window();
    await stranger.goto(desk.link);
    await stranger.getByRole('link', { name: 'Sign in' }).click();
    await stranger.waitForURL('**/sign-in');
  });
}
