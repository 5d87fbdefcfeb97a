import { parse } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import catalogue from '../locales/en.json?raw';
import { known, runs, t, word } from '../src/core/i18n.svelte';

const texts = JSON.parse(catalogue) as Record<string, string>;
const sources = import.meta.glob<string>('../src/**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });
const files = Object.entries(sources).map(([path, code]) => ({ name: path.replace('../src/', ''), code }));

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

describe('catalogue', () => {
  it('holds every key that is used', () => {
    const missing = files.flatMap(({ name, code }) =>
      [...code.matchAll(/\b(?:t|runs)\(\s*'([^']+)'/g)]
        .map((m) => m[1]!)
        .filter((key) => !(key in texts))
        .map((key) => `${name}: ${key}`),
    );
    expect(missing).toEqual([]);
  });

  it('holds no key that nobody uses', () => {
    const all = files.map((file) => file.code).join('\n');
    const prefixes = [...all.matchAll(/(?:word|known)\(\s*'([\w]+)'/g)].map((m) => m[1]! + '.');
    const templates = [...all.matchAll(/t\(\s*`([^`]*?)\$\{/g)].map((m) => m[1]!);
    const dynamic = [...prefixes, ...templates, 'status.', 'priority.', 'type.', 'event.'];
    const unused = Object.keys(texts).filter(
      (key) => !all.includes(`'${key}'`) && !dynamic.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
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
