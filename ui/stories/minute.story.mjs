import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { until } from './kit/desk.mjs';
import { reads } from './kit/page.mjs';

export const title = 'the first answered mail: sandbox, inbox, keyboard, sandbox, inbox';

const picture = fileURLToPath(new URL('../docs/inbox.png', import.meta.url));

export default async function (world) {
  const desk = await world.desk();
  const page = await world.window({ signedIn: desk });
  const other = world.watch(await page.context().newPage());
  const editor = page.locator('.ProseMirror');

  await world.step('a customer writes in the sandbox', async () => {
    await page.goto(desk.url + '/inbox/mine');
    await page.getByRole('link', { name: 'Write yourself a test mail' }).waitFor();
    await other.goto(desk.url + '/sandbox');
    await write(other, {
      subject: 'Broken pole, trip on Friday',
      text:
        'Hello, the front pole of my Fjell 2 snapped at the second joint. I leave for Jotunheimen on Friday ' +
        'and have no other tent.\n\nIs there any way to get a spare before then? I can pick it up in Bergen.',
    });
  });
  await world.step('it is in the inbox by itself', async () => {
    await page.bringToFront();
    await page.getByRole('listitem').getByText('Broken pole').first().waitFor();
    await page.getByRole('link', { name: /^Inbox\s*1$/ }).waitFor();
  });
  await world.step('the keyboard alone opens and answers it', async () => {
    await page.keyboard.press('j');
    await page.getByRole('article', { name: 'Message from Maren Holt' }).waitFor();
    await reads(page, 'Is there any way to get a spare');
    await page.keyboard.press('r');
    await editor.and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Hi Maren,');
    await page.keyboard.press('Enter');
    await page.keyboard.type('a spare pole is waiting for you at our Bergen store. There is nothing to pay.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Sending to Maren').waitFor();
  });
  await world.step('z takes it back once', async () => {
    await page.keyboard.press('z');
    await page.getByText('Taken back').waitFor();
    await editor.getByText('at our Bergen store').waitFor();
    assert.equal(await page.getByRole('article').count(), 1, 'the reply is still in the thread');
    await editor.and(page.locator(':focus')).waitFor();
    await page.keyboard.type(' Just ask for Ines.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Sending to Maren').waitFor();
  });
  await world.step('it arrives at the customer once', async () => {
    await other.bringToFront();
    await other.getByText('Just ask for Ines.').waitFor({ timeout: 30_000 });
    assert.equal(await other.getByRole('button', { name: 'Reply' }).count(), 1, 'mails that arrived');
  });
  await world.step('the customer answers', async () => {
    await other.getByRole('button', { name: 'Reply' }).click();
    await write(other, { text: 'That is wonderful, thank you! I come by on Thursday.' });
  });
  await world.step('the answer joins the same ticket, live', async () => {
    await page.bringToFront();
    await reads(page, 'I come by on Thursday');
    assert.equal((await desk.call('GET', '/api/desk/tickets/1001')).messages.items.length, 3, 'messages');
    assert.equal((await desk.tickets()).length, 1, 'tickets');
    await page.getByRole('article').getByText('sent', { exact: true }).waitFor();
  });
  if (process.env.DESKBELL_SCREENSHOT) await world.step('the picture of the README', () => portray(desk, page));
  await world.step('the ticket says why', async () => {
    await page.getByRole('button', { name: 'Why this ticket' }).click();
    await page.getByRole('dialog').getByText('the signed id of that mail').waitFor();
    await page.keyboard.press('Escape');
  });
  await world.step('solved', async () => {
    await page.keyboard.press('e');
    await page.getByText('#1001 solved').waitFor();
    await page.locator('.item', { hasText: 'Broken pole' }).waitFor({ state: 'detached' });
    assert.equal((await desk.call('GET', '/api/desk/tickets/1001')).status, 'solved');
  });
  await world.step('what came while another page was shown is there at once', async () => {
    await page.getByRole('link', { name: /^Mail sandbox/ }).click();
    await write(page, { subject: 'Lost a tent peg', text: 'Can I order one?' });
    await until('its ticket', async () => (await desk.tickets()).some((one) => one.subject === 'Lost a tent peg'));
    await page.getByRole('link', { name: /^Inbox/ }).click();
    await page.locator('.item', { hasText: 'Lost a tent peg' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Lost a tent peg' }).waitFor();
  });
}

async function write(sandbox, { subject, text }) {
  if (subject) {
    await sandbox.getByLabel('Name').fill('Maren Holt');
    await sandbox.getByLabel('E-mail address').fill('maren.holt@example.net');
    await sandbox.getByLabel('Subject').fill(subject);
  }
  await sandbox.getByLabel('Text').fill(text);
  await sandbox.getByRole('button', { name: 'Send to the desk' }).click();
  await sandbox.getByText('It arrives in the inbox in a moment').waitFor();
}

/** The three messages at a glance, among other mail. */
async function portray(desk, page) {
  const others = [
    ['Lucia Bianchi', 'Return label for two items', 'Hello, may I have one label for both parcels?'],
    ['Jonas Okafor', 'Does the Skarn jacket run small?', 'I am between M and L, 184 cm. Which one would you take?'],
    ['Priya Raman', 'Charged twice for order 48211', 'My bank shows two payments of €189. I only ordered once.'],
    ['Henrik Dahl', 'Delivery on the 28th', 'The carrier says it needs a signature. Can a neighbour sign?'],
  ];
  for (const [name, subject, text] of others) {
    const email = `${name.toLowerCase().replace(' ', '.')}@example.net`;
    await desk.write(subject, text, { name, email });
  }
  await desk.waitTickets(others.length + 1);
  await desk.call('PATCH', '/api/desk/tickets/1001', { priority: 'high', tags: ['tents', 'warranty'] });
  await page.goto(desk.url + '/inbox/mine/1001');
  await page.getByRole('button', { name: /the front pole of my Fjell 2/ }).click();
  await page.getByRole('article').first().getByText('in Bergen.').waitFor();
  await page.locator('.item.current:not(.unread)').waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: picture });
}
