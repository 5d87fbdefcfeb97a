import { describe, expect, it } from 'vitest';
import { isEmpty, looksLikeReply, mentionsAttachment } from '../src/features/composer/checks';
import { incoming, outgoing } from '../src/features/composer/images';
import { fileIdOf } from '../src/features/file/inline';
import { fromHtml, toHtml } from '../src/features/schema/html';
import { emailOf, isEmail, nameOf, splitAddresses } from '../src/features/ticket/address';

describe('checks before sending', () => {
  it.each([
    'I attached the receipt',
    'see the attachment',
    'Die Rechnung ist im Anhang',
    'Die Rechnung finden Sie in der Anlage',
    'vedlagt er kvitteringen',
  ])('%s', (text) => expect(mentionsAttachment(`<p>${text}</p>`)).toBe(true));
  it.each(['we reattach poles', 'tacheometer'])('not: %s', (text) =>
    expect(mentionsAttachment(`<p>${text}</p>`)).toBe(false),
  );
  it('does not count what the customer wrote', () => {
    expect(mentionsAttachment('<p>Thanks</p><blockquote><p>Photo attached</p></blockquote>')).toBe(false);
  });
  it('takes a note that greets the customer for a reply', () => {
    expect(looksLikeReply('<p>Hi Maren, the pole is ready</p>', 'Maren Holt')).toBe(true);
    expect(looksLikeReply('<p>Sehr geehrte Frau Holt,</p><p>das Zelt ist da.</p>', 'Maren Holt')).toBe(true);
    expect(looksLikeReply('<p>Hello,</p><p>it is ready.</p><p>Kind regards<br>Ines</p>', '')).toBe(true);
    expect(looksLikeReply('<p>Guten Tag,</p><p>es ist da.</p><p>Viele Grüße<br>Ines</p>', '')).toBe(true);
    expect(looksLikeReply('<p>Hi Tomasz, give her my best regards. Then call back.</p>', 'Maren Holt')).toBe(false);
    expect(looksLikeReply('<p>Hi Tomasz, call Maren</p>', 'Kenji Mori')).toBe(false);
    expect(looksLikeReply('<p>Maren called</p>', 'Maren Holt')).toBe(false);
  });
  it('knows an empty text', () => {
    expect(isEmpty('<p> <br></p>')).toBe(true);
    expect(isEmpty('<p><img src="/api/desk/files/f1"></p>')).toBe(false);
  });
});

describe('images in the text', () => {
  it('leave without token or blob address', () => {
    const html = outgoing(
      '<p><img src="blob:x" data-upload="up0" data-file="f1"><img src="/api/desk/files/f2?token=t"></p>',
    );
    expect(html).toBe('<p><img src="/api/desk/files/f1"><img src="/api/desk/files/f2"></p>');
  });
  it('come back with their id, and none from elsewhere', () => {
    const html = incoming('<p>a<img src="/api/desk/files/f1"><img src="https://evil.example/x.png"></p>');
    expect(html).toMatch(/^<p>a<img src="data:image\/gif;base64,[^"]+" data-file="f1"><\/p>$/);
    expect(outgoing(html)).toBe('<p>a<img src="/api/desk/files/f1"></p>');
  });
  it('are left out while they are not stored', () => {
    expect(outgoing('<p>a<img src="blob:x" data-upload="up0"></p>')).toBe('<p>a</p>');
  });
  it('are ours only under our path', () => {
    expect(fileIdOf('https://evil.example/x.png')).toBeNull();
    expect(fileIdOf('/api/desk/files/abc123?token=t')).toBe('abc123');
  });
});

describe('addresses', () => {
  it('come in three shapes', () => {
    expect(emailOf('Maren Holt <maren@example.net>')).toBe('maren@example.net');
    expect(emailOf({ name: 'Maren', address: 'maren@example.net' })).toBe('maren@example.net');
    expect(nameOf('"Holt, Maren" <maren@example.net>')).toBe('Holt, Maren');
    expect(nameOf('maren@example.net')).toBe('maren@example.net');
  });
  it('are split when pasted', () => {
    expect(splitAddresses('a@x.example, B <b@x.example>;c@x.example\n')).toEqual([
      'a@x.example',
      'b@x.example',
      'c@x.example',
    ]);
  });
  it('are checked for slips', () => {
    expect(isEmail('maren@example.net')).toBe(true);
    expect(isEmail('maren@example')).toBe(false);
    expect(isEmail('maren holt@example.net')).toBe(false);
  });
});

it('edits short HTML as paragraphs and escapes it again', () => {
  expect(fromHtml('<p>Best,<br>Ines</p><p>Fjellkant &amp; Co</p>')).toBe('Best,\nInes\n\nFjellkant & Co');
  expect(toHtml('Best,\nInes\n\n<b>Co</b>')).toBe('<p>Best,<br>Ines</p><p>&lt;b&gt;Co&lt;/b&gt;</p>');
});
