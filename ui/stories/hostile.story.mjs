import assert from 'node:assert/strict';
import { SUPPORT, until } from './kit/desk.mjs';
import { go, reads } from './kit/page.mjs';
import { startCanary } from './hostile/canary.mjs';
import { compose } from './hostile/mime.mjs';
import { payloads, TEXTS } from './hostile/payloads.mjs';
import { deliver, startRefusal } from './hostile/smtp.mjs';

export const title = 'hostile mail: nothing runs, nothing is called, the text can be read';

const TOGETHER = 16;
const REFUSAL = '<img src=x onerror=top.__xss=1> no such mailbox';

export default async function (world) {
  const canary = await startCanary();
  world.atEnd(canary.stop);
  const refusal = await startRefusal(REFUSAL);
  world.atEnd(refusal.stop);
  const desk = await world.desk({
    args: ['--smtp', '127.0.0.1:0', '--allow-net', canary.host],
    setUpArgs: ['--smtp-url', `smtp://127.0.0.1:${refusal.port}?tls=off`],
  });
  const page = await world.window({ signedIn: desk });
  const alarms = await watch(page, desk);
  const bodies = htmlMails(canary.url);
  const names = TEXTS.map((text, i) => nameMail(text, i));
  const pictures = pictureMail(canary.url);

  await world.step('the alarms ring', async () => {
    await page.goto(canary.url + '/ring');
    await until('a request, a dialog and a script', () => alarms.length === 4 && canary.calls.length >= 2);
    alarms.length = canary.calls.length = 0;
  });
  await world.step('they arrive by SMTP', async () => {
    const mails = [...bodies, ...names, pictures].map(({ mail }) => compose({ to: SUPPORT, ...mail }));
    await deliver(desk.smtp, [...mails, compose(ownAddressMail())]);
    await desk.waitTickets(mails.length);
  });
  const numbers = Object.fromEntries((await desk.tickets()).map((row) => [row.customer.email, row.number]));
  for (const one of [...bodies, ...names, pictures]) one.number = numbers[one.mail.from];

  await world.step('names that are markup, in tags, agents and the company', async () => {
    await desk.call('PATCH', `/api/desk/tickets/${names[0].number}`, { tags: [TEXTS[0], TEXTS[1]] });
    await desk.call('PATCH', '/api/desk/me', { name: TEXTS[2] });
    await desk.call('PATCH', '/api/desk/settings', { 'desk.name': TEXTS[0] });
  });
  await world.step('the list', async () => {
    await page.goto(desk.url + '/inbox/all');
    await page.getByText(TEXTS[0]).first().waitFor();
    for (const part of [0.3, 0.6, 1]) {
      await page.locator('.list .scroll').evaluate((box, at) => (box.scrollTop = box.scrollHeight * at), part);
    }
  });
  for (const one of bodies) {
    await world.step(`mail of ${one.mail.from}`, async () => {
      await open(page, desk, one.number);
      await inspect(page, one);
    });
  }
  for (const { number, text } of names) {
    await world.step(`a subject, name and file called ${text}`, async () => {
      await open(page, desk, number);
      await page.getByRole('heading', { name: text }).waitFor();
      const side = page.getByRole('complementary');
      await side.getByText(text, { exact: true }).first().waitFor();
      // The desk keeps a file under a name without < > : " and folders.
      await files(page).nth(2).waitFor();
      assert.ok(!/[<>]/.test((await page.getByRole('list', { name: 'Attachments' }).textContent()) ?? ''));
    });
  }
  await world.step('files of the mail are saved, not opened', async () => {
    await open(page, desk, names[0].number);
    const saved = page.waitForEvent('download');
    await files(page).first().click();
    assert.ok(await saved);
    await visitDirectly(world, desk, names[0].number, alarms);
  });
  await world.step('a search finds them', async () => {
    await page.keyboard.press('/');
    await page.getByRole('textbox', { name: 'Search these conversations' }).fill('<img');
    await page.getByRole('listitem').getByText(TEXTS[0]).first().click();
    await page.getByRole('heading', { name: TEXTS[0] }).waitFor();
  });
  await world.step('the outbox shows what a server said', async () => {
    await desk.call('POST', `/api/desk/tickets/${names[0].number}/replies`, { body: '<p>Hello</p>', undo_s: 0 });
    await until('the mail is refused', async () => {
      const { items } = await desk.call('GET', '/api/desk/outbox?state=failed');
      return items.length > 0;
    });
    await page.goto(desk.url + '/outbox');
    await page.getByText(REFUSAL).first().waitFor();
    await page.getByRole('row').filter({ hasText: REFUSAL }).getByText(TEXTS[0]).first().click();
    await page.getByRole('heading', { name: 'What happened' }).waitFor();
  });
  await world.step('the quarantine', async () => {
    await page.goto(desk.url + '/settings/quarantine');
    await page.getByText(TEXTS[3]).first().waitFor();
  });
  await world.step('the people', async () => {
    await page.goto(desk.url + '/settings/people');
    await page.getByRole('cell').getByText(TEXTS[2]).first().waitFor();
  });
  await world.step('a draft and a paste that are markup', async () => {
    const [first, second] = payloads(canary.url).sideBySide.slice(15, 17);
    await desk.call('PUT', `/api/desk/tickets/${names[3].number}/draft`, {
      kind: 'reply',
      body: `<p>kept</p>${first.html}<img src="${canary.url}/draft.png">`,
    });
    await page.goto(`${desk.url}/inbox/all/${names[3].number}`);
    await page.locator('.ProseMirror').getByText('kept').waitFor();
    await page.locator('.ProseMirror').click();
    await page.evaluate((html) => {
      const data = new DataTransfer();
      data.setData('text/html', html);
      const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      document.querySelector('.ProseMirror').dispatchEvent(paste);
    }, `<b>pasted</b>${second.html}<img src="${canary.url}/paste.png"><script>top.__xss=1</script>`);
    await page.locator('.ProseMirror').getByText('pasted').waitFor();
  });
  await world.step('nothing has run and nobody was called', async () => {
    assert.deepEqual(canary.calls, [], 'calls of the canary');
    assert.deepEqual(alarms, [], 'alarms');
  });
  await world.step('pictures are shown when asked for, and then through the desk', async () => {
    await open(page, desk, pictures.number);
    await reads(page, 'look at this');
    await page.getByRole('button', { name: 'Show images' }).click();
    await page.waitForFunction(() => {
      const images = document.querySelector('article iframe')?.contentDocument?.images ?? [];
      return images.length === 2 && [...images].every((one) => one.naturalWidth > 0);
    });
    const paths = canary.calls.map((call) => call.path);
    assert.deepEqual(paths.sort(), ['/one.png', '/two.png']);
    assert.ok(
      canary.calls.every((call) => call.agent === 'Deskbell'),
      'a browser called the sender',
    );
    assert.deepEqual(alarms, [], 'alarms');
  });
}

/** Everything a page must never do, noted as it happens. */
async function watch(page, desk) {
  const alarms = [];
  const context = page.context();
  const ours = (url) => url.startsWith(desk.url + '/') || /^(data|blob|about):/.test(url);
  context.on('request', (request) => {
    if (!ours(request.url())) alarms.push(`asked for ${request.url()}`);
  });
  context.on('dialog', (dialog) => {
    alarms.push(`dialog ${dialog.message()} in ${page.url()}`);
    void dialog.dismiss();
  });
  await context.exposeBinding('__alarm', (_, what) => void alarms.push(what));
  await context.addInitScript(() => {
    if (window !== window.top) return;
    Object.defineProperty(window, '__xss', { set: () => window.__alarm(`script ran at ${location.pathname}`) });
  });
  return alarms;
}

function htmlMails(canary) {
  const { sideBySide, ending } = payloads(canary);
  const marked = ({ i, html }) => `<p>before ${i}.</p>\n${html}\n`;
  const batches = [];
  for (let at = 0; at < sideBySide.length; at += TOGETHER) batches.push(sideBySide.slice(at, at + TOGETHER));
  return [...batches, ...ending.map((one) => [one])].map((batch) => ({
    marks: batch.map(({ i }) => `before ${i}.`),
    mail: {
      from: `payload-${batch[0].i}@attacker.example`,
      subject: `Payloads from ${batch[0].i}`,
      html: `<html><body>${batch.map(marked).join('')}</body></html>`,
    },
  }));
}

function nameMail(text, i) {
  return {
    text,
    mail: {
      from: `name-${i}@attacker.example`,
      name: text,
      subject: text,
      html: `<p>Regards, ${i}</p>`,
      files: [
        { name: `${text}.html`, type: 'text/html', content: `<script>top.__xss=1;alert(1)</script>` },
        {
          name: `a.svg`,
          type: 'image/svg+xml; x',
          content: `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
        },
        { name: `b.js`, type: 'text/javascript', content: `top.__xss=1` },
      ],
    },
  };
}

const files = (page) => page.getByRole('button', { name: /^Download .*\.(html|svg|js)$/ });

function pictureMail(canary) {
  const html = `<p>look at this</p><img src="${canary}/one.png"><img src="${canary}/two.png" srcset="${canary}/big.png 2x">
    <div style="background:url(${canary}/background.png)">x</div>`;
  return { mail: { from: 'pictures@attacker.example', subject: 'Pictures', html } };
}

/** Pretends to come from the desk itself, which no mail may. */
const ownAddressMail = () => ({
  from: SUPPORT,
  name: TEXTS[2],
  to: SUPPORT,
  subject: TEXTS[3],
  html: '<script>top.__xss=1</script>',
});

/** Opens a conversation without loading the workspace anew. */
async function open(page, desk, number) {
  await go(page, `${desk.url}/inbox/all/${number}`);
  await page.getByRole('region', { name: `Conversation #${number}` }).waitFor();
  await page.waitForFunction(() => {
    const frames = [...document.querySelectorAll('article iframe')];
    return (
      frames.length > 0 &&
      frames.every(
        (one) => one.contentDocument?.readyState === 'complete' && one.contentDocument.body?.childElementCount,
      )
    );
  });
}

/** The frame of a mail holds its text, and nothing that could act. */
async function inspect(page, { marks, mail }) {
  const found = await page.locator('article iframe').evaluate((frame) => {
    const { body } = frame.contentDocument;
    for (const fold of body.querySelectorAll('details')) fold.open = true;
    const all = [...body.querySelectorAll('*')];
    return {
      text: body.innerText,
      tags: [...new Set(all.map((one) => one.tagName.toLowerCase()))],
      handlers: all.flatMap((one) =>
        [...one.attributes]
          .filter((a) => /^on|^(srcset|srcdoc|action|formaction|ping|background)$/i.test(a.name))
          .map((a) => a.name),
      ),
      links: [...body.querySelectorAll('[href]')].map((one) => ({
        href: one.getAttribute('href'),
        rel: one.rel,
        target: one.target,
      })),
      sources: [...body.querySelectorAll('[src]')].map((one) => one.getAttribute('src')),
      fixed: all.filter((one) => /fixed|absolute|sticky/.test(getComputedStyle(one).position)).length,
      sandbox: frame.getAttribute('sandbox'),
    };
  });
  const bad =
    /^(script|style|iframe|frame|frameset|object|embed|applet|link|meta|base|form|input|button|select|textarea|video|audio|source|svg|math|template|portal|dialog|isindex|noscript|slot)$/;
  const where = `in the mail of ${mail.from}`;
  assert.deepEqual(
    marks.filter((mark) => !found.text.includes(mark)),
    [],
    `texts missing ${where}`,
  );
  assert.deepEqual(
    found.tags.filter((tag) => bad.test(tag)),
    [],
    `elements ${where}`,
  );
  assert.deepEqual(found.handlers, [], `attributes ${where}`);
  assert.equal(found.fixed, 0, `positioned elements ${where}`);
  for (const { href, rel, target } of found.links) {
    assert.match(href, /^(https?:\/\/|mailto:|tel:)/i, `a link ${where}`);
    assert.ok(rel.includes('noopener') && target === '_blank', `a link leaves the desk open ${where}`);
  }
  for (const src of found.sources)
    assert.match(src, /^(data:image\/(png|gif|jpeg|webp);base64,|\/api\/desk\/)/, `a picture ${where}`);
  assert.ok(!/allow-scripts|allow-forms|allow-top-navigation/.test(found.sandbox), 'the sandbox of the frame');
}

/** The pages behind frame and files do nothing when someone opens them on their own. */
async function visitDirectly(world, desk, number, alarms) {
  const ticket = await desk.call('GET', `/api/desk/tickets/${number}`);
  const { token } = await desk.call('POST', '/api/desk/files/token', {});
  const page = await world.window();
  page.on('dialog', (dialog) => {
    alarms.push(`dialog at ${page.url()}`);
    void dialog.dismiss();
  });
  const [message] = ticket.messages.items;
  const files = message.attachments.map((file) => `/api/desk/files/${file.id}`);
  for (const path of [`/api/desk/messages/${message.id}/body`, `/api/desk/messages/${message.id}/raw`, ...files]) {
    // A download ends the navigation: that is as good as a page that does nothing.
    await page.goto(`${desk.url}${path}?token=${encodeURIComponent(token)}`).catch(() => undefined);
    assert.equal(await page.evaluate(() => window.__xss), undefined, `script ran at ${path}`);
  }
}
