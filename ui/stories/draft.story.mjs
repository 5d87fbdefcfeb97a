import assert from 'node:assert/strict';
import { until } from './kit/desk.mjs';
import { reads } from './kit/page.mjs';

export const title = 'drafts: kept over reload and lost lines, sent once, never over a newer mail';

export default async function (world) {
  const desk = await world.desk();
  await desk.call('PATCH', '/api/desk/settings', { 'mail.undo_s': 0 });
  await desk.write('Valve batch', 'Which valve fits the old stove?');
  await desk.waitTickets(1);
  const page = await world.window({ signedIn: desk });
  const editor = page.locator('.ProseMirror');
  const replies = async () =>
    (await desk.call('GET', '/api/desk/tickets/1001')).messages.items.filter((one) => one.kind === 'reply');

  await world.step('what is typed before the editor has come is text, to the last space', async () => {
    let arrive;
    const late = new Promise((done) => (arrive = done));
    await page.route('**/assets/Editor-*.js', (route) => late.then(() => route.continue()));
    await page.goto(desk.url + '/inbox/mine/1001');
    await reads(page, 'Which valve');
    await page.keyboard.press('r');
    await page.keyboard.type('The valve ');
    arrive();
    await editor.and(page.locator(':focus')).waitFor();
    await page.keyboard.type('of batch 2309 fits.');
    await editor.getByText('The valve of batch 2309 fits.').waitFor();
    assert.equal((await desk.tickets())[0].status, 'new', 'its letters were keys');
  });
  await world.step('typed text survives a reload', async () => {
    await page.getByText('Draft saved').waitFor();
    await page.reload();
    await editor.getByText('The valve of batch 2309 fits.').waitFor();
    await page.locator('.item').getByText('Draft: The valve').waitFor();
  });
  await world.step('so do a file and a pasted image', async () => {
    const file = { name: 'valve.txt', mimeType: 'text/plain', buffer: Buffer.from('2309') };
    await page.setInputFiles('#attach-file', file);
    await page.getByText('valve.txt').waitFor();
    await editor.click();
    await page.evaluate(pasteImage);
    await editor.locator('img[data-file]').waitFor();
    await page.getByText('Draft saved').waitFor();
    await page.reload();
    await page.getByText('valve.txt').waitFor();
    await page.waitForFunction(() => document.querySelector('.ProseMirror img[data-file]')?.naturalWidth === 40);
  });
  await world.step('the line goes down: it says so, and the text stays here', async () => {
    await page.context().setOffline(true);
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(' Offline, too.');
    await page.getByText('Kept in this browser').waitFor();
    await page.getByText('The connection is lost').waitFor();
  });
  await world.step('what is sent meanwhile waits', async () => {
    await page.keyboard.press('Control+Enter');
    await page.getByText('goes out by itself when it is back').waitFor();
    assert.equal((await replies()).length, 0);
  });
  await world.step('back on line it goes out once', async () => {
    await page.context().setOffline(false);
    await page.getByText('The connection is lost').waitFor({ state: 'detached', timeout: 30_000 });
    await reads(page, 'Offline, too.');
    const sent = await until('the reply is sent', async () => {
      const [one] = await replies();
      return one?.delivery?.state === 'sent' && replies();
    });
    assert.equal(sent.length, 1, 'replies');
    const files = sent[0].attachments.map((one) => [one.name, one.inline]);
    assert.deepEqual(files.sort(), [
      ['pasted.png', true],
      ['valve.txt', false],
    ]);
    const { mails } = await desk.call('GET', '/api/desk/sandbox');
    assert.equal(mails.length, 1, 'mails that arrived');
  });
  await world.step('a reply is held back when something newer came', async () => {
    await page.locator('article').last().click();
    await page.keyboard.press('r');
    await page.keyboard.type('You are welcome.');
    await page.getByText('Draft saved').waitFor();
    // The browser does not hear of it, as when both write in the same second.
    await page.route('**/api/desk/tickets/1001', (route) => route.abort());
    const { mails } = await desk.call('GET', '/api/desk/sandbox');
    await desk.call('POST', '/api/desk/sandbox/mails', {
      from: { name: 'Maren Holt', email: 'maren@example.net' },
      subject: 'Re: Valve batch',
      text: 'Stop, it is the new stove!',
      in_reply_to: mails[0].id,
    });
    await until(
      'the mail joined',
      async () => (await desk.call('GET', '/api/desk/tickets/1001')).messages.items.length === 3,
    );
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').getByText('Not sent.').waitFor();
    await page.getByRole('region', { name: 'New from Maren' }).getByText('Stop, it is the new stove!').waitFor();
    await editor.getByText('You are welcome.').waitFor();
    assert.equal((await replies()).length, 1, 'replies');
    if (process.env.DESKBELL_STORY_ALL) await world.picture('a reply that is held back');
    await page.unroute('**/api/desk/tickets/1001');
  });
  await world.step('edited first, it goes', async () => {
    await page.getByRole('button', { name: 'Edit first' }).click();
    await editor.and(page.locator(':focus')).waitFor();
    await page.keyboard.type(' Take the valve of batch 2410.');
    await page.keyboard.press('Control+Enter');
    await reads(page, 'Take the valve of batch 2410.');
    await until('two replies', async () => (await replies()).length === 2);
  });
}

/** Runs in the page: an image on the clipboard. */
async function pasteImage() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 20 });
  canvas.getContext('2d').fillRect(5, 5, 30, 10);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const data = new DataTransfer();
  data.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
  const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  document.querySelector('.ProseMirror').dispatchEvent(paste);
}
