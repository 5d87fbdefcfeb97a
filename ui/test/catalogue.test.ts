import { load } from 'virtual:texts';
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../src/core/i18n.svelte';
import { FIRST, PARTS, partOf } from '../src/core/parts';
import { lazy, sources, together } from './kit/sources';
import { argumentsOf, catalogues, english, usedBy } from './kit/texts';

const CALL = /\b(?:t|runs)\(\s*'([^']+)'(?:,\s*\{([^}]*)\})?/g;
const all = [...sources];

describe('the texts in use', () => {
  it('are in the catalogue', () => {
    const missing = all.flatMap(([file, code]) =>
      [...code.matchAll(CALL)].filter(([, key]) => !(key! in english)).map(([, key]) => `${file}: ${key}`),
    );
    expect(missing).toEqual([]);
  });

  it('are given what they take', () => {
    const wrong = all.flatMap(([file, code]) =>
      [...code.matchAll(CALL)].flatMap(([, key, given]) => {
        const takes = argumentsOf(english[key!] ?? '').map((one) => one.split(':')[0]!);
        const names = [...(given ?? '').matchAll(/(?:^|,)\s*(\w+)/g)].map(([, name]) => name!);
        return takes.every((name) => name === 'b' || names.includes(name)) ? [] : [`${file}: ${key} takes ${takes}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('are all texts there are', () => {
    const used = usedBy(sources.keys());
    expect(Object.keys(english).filter((key) => !used.has(key))).toEqual([]);
  });

  it('of the first load come with it', () => {
    expect([...usedBy(together('main.ts'))].filter((key) => partOf(key) !== FIRST)).toEqual([]);
  });

  const first = together('main.ts');
  it.each(lazy())('of $file come with it, loaded by $from', ({ file, from, parts }) => {
    const around = lazy().filter((one) => together(one.file).has(from));
    const brought = [FIRST, ...parts, ...around.flatMap((one) => one.parts)];
    const needed = usedBy([...together(file)].filter((one) => !first.has(one)));
    expect([...needed].filter((key) => !brought.includes(partOf(key)))).toEqual([]);
  });

  it('of a part are more than none', () => {
    const groups = new Set(Object.keys(english).map((key) => key.split('.')[0]));
    expect(
      Object.values(PARTS)
        .flat()
        .filter((group) => !groups.has(group)),
    ).toEqual([]);
  });
});

describe.each([...catalogues])('the catalogue %s', (language, texts) => {
  it('has every key, in order', () => {
    expect(Object.keys(texts)).toEqual(Object.keys(english));
    expect(Object.keys(texts)).toEqual(Object.keys(texts).sort());
  });

  it('takes what English takes', () => {
    const takes = (all: Record<string, string>) =>
      Object.fromEntries(Object.entries(all).map(([key, text]) => [key, argumentsOf(text)]));
    expect(takes(texts)).toEqual(takes(english));
  });

  it('is offered by name, and in parts', () => {
    expect(Object.keys(load).sort()).toEqual(Object.keys(LANGUAGES).sort());
    expect(LANGUAGES).toHaveProperty(language);
    expect(Object.keys(load[language]!)).toEqual(expect.arrayContaining(Object.keys(PARTS)));
  });
});
