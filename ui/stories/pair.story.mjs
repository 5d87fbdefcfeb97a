import assert from 'node:assert/strict';
import { OWNER } from './kit/desk.mjs';
import { reads } from './kit/page.mjs';

export const title = 'two at one desk: each sees what the other does';

export default async function (world) {
  const desk = await world.desk();
  const ines = await world.window();
  const ben = await world.window();

  await world.step('the owner signs in', async () => {
    await ines.goto(desk.url);
    await ines.getByLabel('E-mail').fill(OWNER.email);
    await ines.getByLabel('Password').fill('not this one');
    await ines.keyboard.press('Enter');
    await ines.getByText('don’t belong together').waitFor();
    await ines.getByLabel('Password').fill(OWNER.password);
    await ines.keyboard.press('Enter');
    await ines.waitForURL('**/inbox/mine');
  });
  await world.step('and invites a colleague, who joins', async () => {
    await ines.goto(desk.url + '/settings/people');
    await ines.getByRole('button', { name: 'Invite colleagues' }).click();
    await ines.getByRole('button', { name: 'Make the link' }).click();
    await ben.goto(await ines.getByLabel('Invitation link').inputValue());
    await ines.keyboard.press('Escape');
    await ben.getByLabel('Your name').fill('Ben Adeyemi');
    await ben.getByLabel('E-mail').fill('ben@fjellkant.example');
    await ben.getByLabel('Password').fill(OWNER.password);
    await ben.getByRole('button', { name: 'Join the desk' }).click();
    await ben.waitForURL('**/inbox/mine');
  });
  await world.step('who may read, but not invite', async () => {
    await nav(ben, 'Settings').click();
    await ben.getByRole('cell').getByText(OWNER.name, { exact: true }).waitFor();
    const tabs = ben.getByRole('navigation', { name: 'Settings' }).getByRole('link');
    assert.deepEqual(await tabs.allTextContents().then((all) => all.map((one) => one.trim())), ['People']);
    assert.equal(await ben.getByRole('button', { name: 'Invite colleagues' }).count(), 0);
    await nav(ben, 'Inbox').click();
  });
  await world.step('the owner is not alone any more', async () => {
    await ines.getByRole('row').getByText('Ben Adeyemi', { exact: true }).waitFor();
    await nav(ines, 'Unassigned').click();
    await ines.waitForURL('**/inbox/unassigned');
  });
  await world.step('a mail counts for both', async () => {
    await desk.write('Zip came off', 'The zip of my jacket came off after one week.');
    await nav(ines, 'Unassigned', 1).waitFor();
    await nav(ben, 'Unassigned', 1).click();
    for (const one of [ines, ben]) {
      await one.getByRole('listitem').getByText('Zip came off').click();
      await reads(one, 'after one week');
    }
  });
  await world.step('a note of one appears for the other', async () => {
    await ben.keyboard.press('i');
    await ben.locator('.ProseMirror:focus').waitFor();
    await ben.keyboard.type('I ask the workshop.');
    await ben.keyboard.press('Control+Enter');
    await reads(ines, 'I ask the workshop.');
    await ines.getByRole('article', { name: 'Message from Ben Adeyemi' }).waitFor();
  });
  await world.step('an assignment, and the counts of both', async () => {
    await ines.keyboard.press('a');
    await ines.getByRole('option', { name: /Ben Adeyemi/ }).click();
    await ben.getByText(`Ines Moreau assigned it to Ben Adeyemi`).waitFor();
    await property(ben, 'Assignee').getByText('You').waitFor();
    await nav(ben, 'Inbox', 1).waitFor();
    for (const one of [ines, ben]) await nav(one, 'Unassigned', 0).waitFor();
  });
  await world.step('a status', async () => {
    await property(ben, 'Status').getByRole('button').click();
    await ben.getByRole('option', { name: 'Waiting' }).click();
    await property(ines, 'Status').getByText('Waiting').waitFor();
    await nav(ines, 'Waiting', 1).waitFor();
  });
  await world.step('one falls asleep, the world goes on', async () => {
    await ben.goto(desk.url + '/inbox/all');
    await ben.getByText('All answered').waitFor();
    await ben.context().setOffline(true);
    await desk.write('Is the shop open on Sunday?', 'I would come by.');
    await nav(ines, 'Unassigned', 1).waitFor();
    await desk.call('PATCH', '/api/desk/tickets/1001', { status: 'open', priority: 'urgent' });
    assert.equal(await ben.getByText('Is the shop open').count(), 0);
  });
  await world.step('it wakes and knows all of it', async () => {
    await ben.context().setOffline(false);
    await ben.getByRole('listitem').getByText('Is the shop open on Sunday?').waitFor();
    await ben.locator('.item', { hasText: 'Zip came off' }).getByText('Urgent').waitFor();
    await nav(ben, 'All open', 2).waitFor();
    await nav(ben, 'Inbox', 1).waitFor();
  });
  await world.step('and hears what comes next', async () => {
    await desk.write('Gift card', 'Do you have gift cards?', { name: 'Kari Lund', email: 'kari@example.net' });
    await nav(ben, 'All open', 3).waitFor();
  });
}

/** An item of the navigation, with its count. */
function nav(page, name, n) {
  const count = n === undefined ? '(\\s*\\d+)?' : n === 0 ? '' : `\\s*${n}`;
  return page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: new RegExp(`^${name}${count}$`) });
}

/** A property in the panel beside the conversation. */
function property(page, label) {
  return page.getByRole('complementary').locator('dl > div', { has: page.getByText(label, { exact: true }) });
}
