import assert from 'node:assert/strict';
import { OWNER, SUPPORT } from './desk.mjs';
import { cramped, hiddenFocus, inspect, overflow } from './eyes.mjs';
import { go, reads } from './page.mjs';
import { speaker } from './say.mjs';

// Every page with what opens on it, as the two stories of the pages visit them.

export const PAGES = [
  ['the inbox', (page, url) => list(page, url)],
  [
    'a selection',
    async (page, url, say) => {
      await list(page, url);
      await page.getByRole('checkbox').first().check({ force: true });
      await page.getByRole('region', { name: say('bulk.region'), exact: true }).waitFor();
    },
  ],
  [
    'a search without result',
    async (page, url, say) => {
      await go(page, url + '/inbox/mine?q=nothing+like+this');
      await page.getByText(say('empty.search')).waitFor();
    },
  ],
  ['a conversation', (page, url, say) => ticket(page, url, say)],
  [
    'the reply',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.keyboard.press('r');
      await page.locator('.ProseMirror:focus').waitFor();
      await page.keyboard.type('Hello, ');
      await page
        .getByRole('button', { name: say('send.after.send'), exact: true })
        .and(page.locator(':enabled'))
        .waitFor();
    },
  ],
  [
    'the note',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.keyboard.press('i');
      await page.locator('.ProseMirror:focus').waitFor();
    },
  ],
  [
    'why',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.getByRole('button', { name: say('why.title'), exact: true }).click();
      await page.getByRole('dialog').getByRole('listitem').first().waitFor();
    },
  ],
  [
    'a picker',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.keyboard.press('p');
      await page.getByRole('option', { name: say('priority.high'), exact: true }).waitFor();
    },
  ],
  [
    'the keys',
    async (page, url) => {
      await list(page, url);
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    'the commands',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.keyboard.press('Control+k');
      await page
        .getByRole('dialog')
        .getByRole('option', { name: say('key.solve') })
        .waitFor();
    },
  ],
  ['the outbox', (page, url) => visit(page, url + '/outbox', 'Broken pole')],
  [
    'a delivery',
    async (page, url, say) => {
      await go(page, url + '/outbox');
      await page.getByText('Broken pole').first().click();
      await page.getByRole('heading', { name: say('outbox.happened'), exact: true }).waitFor();
    },
  ],
  ['the sandbox', (page, url, say) => visit(page, url + '/sandbox', say('sandbox.arrived'), say('sandbox.playing'))],
  ['settings', (page, url, say) => visit(page, url + '/settings/general', say('settingGroup.net'))],
  ['mailboxes', (page, url) => visit(page, url + '/settings/mailboxes', SUPPORT)],
  [
    'a new mailbox',
    async (page, url, say) => {
      await go(page, url + '/settings/mailboxes');
      await page.getByRole('button', { name: say('mailboxes.add'), exact: true }).click();
      await page.getByRole('dialog').getByText(say('preset.other')).click();
    },
  ],
  ['people', (page, url) => visit(page, url + '/settings/people', 'Ben Adeyemi')],
  [
    'an invitation',
    async (page, url, say) => {
      await go(page, url + '/settings/people');
      await page.getByRole('button', { name: say('action.invite'), exact: true }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  ['quarantine', (page, url, say) => visit(page, url + '/settings/quarantine', say('quarantine.none'))],
  ['jobs', (page, url, say) => visit(page, url + '/settings/jobs', say('jobs.run'))],
  ['me', (page, url, say) => visit(page, url + '/me', say('me.sessions'), say('me.thisOne'))],
  ['nowhere', (page, url, say) => visit(page, url + '/nowhere/at/all', say('lost.title'))],
];
export const ON_A_PHONE = [
  [
    'more',
    async (page, url, say) => {
      await list(page, url);
      await page.getByRole('button', { name: say('nav.more'), exact: true }).click();
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    'the details',
    async (page, url, say) => {
      await ticket(page, url, say);
      await page.getByRole('button', { name: say('conversation.more'), exact: true }).click();
      await page.getByRole('menuitem', { name: say('conversation.details'), exact: true }).click();
      await page.getByRole('complementary').waitFor();
    },
  ],
];
const FOCUS = [
  'the sign-in',
  'set-up: owner',
  'set-up: hours',
  'the inbox',
  'a conversation',
  'the reply',
  'the outbox',
  'settings',
  'people',
];

/** Visits every page of a desk and of a set-up, and finds what axe-core, a ruler and the Tab key find. */
export async function tour(world, { phone, language = 'en' }) {
  const say = speaker(language);
  const desk = await world.desk();
  await fill(desk);
  const fresh = await world.desk({ setUp: false });
  const findings = [];
  const note = (what, all) => findings.push(...all.map((one) => `${what}: ${one}`));
  const look = async (page, name) => {
    note(name, await inspect(page));
    if (phone) note(`${name} for a finger`, await cramped(page));
    if (phone) note(`${name} too wide`, await overflow(page));
    else if (FOCUS.includes(name)) note(`${name} without a focus to see`, await hiddenFocus(page));
    if (process.env.DESKBELL_STORY_ALL) await world.picture(name);
  };

  const locale = `${language}-${language === 'en' ? 'US' : language.toUpperCase()}`;
  const page = await world.window({ phone, locale });
  await world.step('the sign-in', async () => {
    await visit(page, desk.url + '/sign-in', say('signIn.title'));
    await look(page, 'the sign-in');
  });
  await world.step('the set-up', () => setUp(page, fresh, look, say));
  await page.close();
  const own = await world.window({ phone, locale, signedIn: desk });
  for (const [name, open] of phone ? [...PAGES, ...ON_A_PHONE] : PAGES) {
    await world.step(name, async () => {
      await open(own, desk.url, say);
      await look(own, name);
    });
  }
  assert.deepEqual(findings, [], 'findings');
}

async function visit(page, url, ...texts) {
  await go(page, url);
  for (const text of texts) await page.getByText(text).first().waitFor();
}

async function list(page, url) {
  await go(page, url + '/inbox/all');
  await page.locator('.item').nth(2).waitFor();
}

async function ticket(page, url, say) {
  await page.keyboard.press('Escape'); // out of an editor: its letters are no keys
  await list(page, url);
  await go(page, url + '/inbox/all/1001');
  await reads(page, 'a spare');
  await page
    .getByRole('group', { name: say('composer.replyLabel'), exact: true })
    .or(page.getByRole('group', { name: say('composer.noteLabel'), exact: true }))
    .or(page.getByRole('button', { name: say('composer.kind.note'), exact: true }))
    .or(page.getByRole('button', { name: say('composer.replyTo').replace('{name}', 'Maren') }))
    .first()
    .waitFor();
}

export async function setUp(page, desk, look, say) {
  const next = () => page.getByRole('button', { name: say('action.continue'), exact: true }).click();
  await page.goto(desk.link);
  await page.getByLabel(say('setup.companyField')).fill('Fjellkant Outdoor');
  await look(page, 'set-up: company');
  await next();
  await page.getByLabel(say('field.yourName')).fill(OWNER.name);
  await page.getByLabel(say('field.email')).fill(OWNER.email);
  await page.getByLabel(say('field.password')).fill(OWNER.password);
  await look(page, 'set-up: owner');
  await next();
  await page.getByLabel(say('setup.timeZone')).waitFor();
  await look(page, 'set-up: hours');
  await next();
  await page.getByText(say('preset.other')).click();
  await look(page, 'set-up: mail');
}

/** Mail, an answer on its way, a note, tags, a colleague. */
export async function fill(desk) {
  await desk.write('Broken pole, trip on Friday', 'The pole broke. Is there any way to get a spare?');
  await desk.waitTickets(1);
  await desk.write('A subject that is rather longer than any line of the list has room for', 'x'.repeat(200));
  await desk.write('Gift card', 'Do you have any?', { name: 'Kari Lund', email: 'kari@example.net' });
  await desk.waitTickets(3);
  const one = '/api/desk/tickets/1001';
  await desk.call('PATCH', one, { priority: 'urgent', tags: ['warranty', 'tents', 'poles'] });
  await desk.call('POST', one + '/notes', { body: '<p>A spare is in <b>Bergen</b>.</p>' });
  await desk.call('POST', one + '/replies', { body: '<p>Yes, a spare is waiting for you.</p>', undo_s: 60 });
  const { url } = await desk.call('POST', '/api/desk/invitations', { roles: ['associate'] });
  const token = url.split('/').pop();
  await desk.request('POST', `/api/public/invitations/${token}`, {
    name: 'Ben Adeyemi',
    email: 'ben@fjellkant.example',
    password: OWNER.password,
  });
}
