import { parse } from 'svelte/compiler';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dayHeading, duration, relative, weekday } from '../src/core/format';
import { known, locale, runs, t, word } from '../src/core/i18n.svelte';
import { read } from '../src/core/storage';
import { sources } from './kit/sources';

const files = [...sources].map(([name, code]) => ({ name, code }));

describe('t', () => {
  it('fills arguments and plurals', () => {
    expect(t('thread.earlier', { n: 1 })).toBe('1 earlier message');
    expect(t('thread.earlier', { n: 6 })).toBe('6 earlier messages');
    expect(t('app.name')).toBe('Deskbell');
  });

  it('gives bold parts as runs, never as HTML', () => {
    expect(runs('event.ticket.solved', { who: '<i>Ines</i>' })).toEqual([
      { tag: 'b', text: '<i>Ines</i>' },
      { text: ' solved it' },
    ]);
  });

  it('shows a word the catalogue does not know as it is', () => {
    expect(word('status', 'pending')).toBe('Waiting');
    expect(word('status', 'brand_new')).toBe('brand new');
    expect(known('status', 'nope')).toBeUndefined();
  });
});

describe('locale', () => {
  afterEach(async () => {
    await locale.choose('en');
    vi.restoreAllMocks();
  });

  it('changes every text, plurals, numbers and dates at once', async () => {
    await locale.choose('de');
    expect(document.documentElement.lang).toBe('de');
    expect(t('thread.earlier', { n: 1 })).toBe('1 frühere Nachricht');
    expect(t('thread.earlier', { n: 12_000 })).toBe('12.000 frühere Nachrichten');
    expect(word('status', 'pending')).toBe('Wartend');
    expect(duration(400)).toBe('400 ms');
    expect(duration(1400)).toBe('1,4 s');
    expect(relative('2026-03-02T10:00:00Z', Date.parse('2026-03-02T12:00:00Z'))).toBe('vor 2 Stunden');
    expect(weekday(0)).toBe('Montag');
  });

  it('writes dates as the browser’s own region does', async () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['de-AT', 'en']);
    await locale.choose('de');
    expect(locale.tag).toBe('de-AT');
    expect(dayHeading('2026-01-02T10:00:00', Date.parse('2026-03-02T12:00:00'))).toContain('Jänner');
  });

  it.each([
    ['de', ['de-CH', 'en']],
    ['de', ['fr', 'de']],
    ['en', ['fr']],
    ['en', ['en-GB', 'de']],
  ])('starts in %s for %s', async (language, languages) => {
    locale.choice = undefined;
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(languages);
    await locale.start();
    expect(locale.current).toBe(language);
  });

  it('remembers what was chosen, and takes over what the desk keeps', async () => {
    await locale.choose('de');
    expect(read('language')).toBe('de');
    await locale.follow('en');
    expect(locale.current).toBe('en');
    await locale.follow('tlh');
    expect(locale.current).toBe('en');
  });
});

interface Node {
  type: string;
  name?: string;
  data?: string;
  value?: unknown;
  [key: string]: unknown;
}
const READ_ALOUD = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label']);
const WORDS = /\p{L}{2,}/u;

function literals(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const one of node) literals(one, found);
  else if (node && typeof node === 'object') {
    const it = node as Node;
    if (it.type === 'Text' && WORDS.test(it.data ?? '')) found.push(it.data!.trim());
    if (it.type === 'Attribute') {
      if (READ_ALOUD.has(it.name ?? '')) literals(it.value, found);
      return found;
    }
    for (const [key, value] of Object.entries(it)) if (key !== 'metadata') literals(value, found);
  }
  return found;
}

describe('components', () => {
  it.each(files.filter((file) => file.name.endsWith('.svelte')))('$name spells no text of its own', ({ code }) => {
    expect(literals(parse(code, { modern: true }).fragment)).toEqual([]);
  });

  it.each(files.filter((file) => file.name.endsWith('.svelte')))(
    '$name uses no raw colour and no HTML string',
    ({ code }) => {
      const style = /<style>[\s\S]*<\/style>/.exec(code)?.[0] ?? '';
      expect(style).not.toMatch(/#[0-9a-f]{3,8}\b|\brgba?\(/i);
      expect(code).not.toContain('{@html');
      expect(code).not.toContain('srcdoc');
    },
  );
});

it.each(files.filter((file) => file.name.endsWith('.svelte')))('$name stays under 150 lines', ({ code }) => {
  expect(code.split('\n').length).toBeLessThanOrEqual(150);
});
