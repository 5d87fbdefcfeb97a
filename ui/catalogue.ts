import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';
import { FIRST, PARTS, partOf } from './src/core/parts.ts';

const TEXTS = 'virtual:texts';
const SOURCE = 'en';
const DIR = fileURLToPath(new URL('./locales/', import.meta.url));
const LITERAL = 0;

type Texts = Record<string, string>;

/**
 * Offers the catalogues as `virtual:texts`, one chunk for every language and part
 * (see src/core/parts.ts). A message without arguments is its text, any other its
 * parsed form, so that no parser has to travel to the browser.
 */
export function catalogues(): Plugin {
  return {
    name: 'deskbell-catalogues',
    resolveId: (id) => (id === TEXTS || id.startsWith(TEXTS + '/') ? '\0' + id : undefined),
    load(id) {
      if (id === '\0' + TEXTS) return index();
      const [, language, part] = /^\0virtual:texts\/(.+)-(\w+)$/.exec(id) ?? [];
      if (!language || !part) return;
      this.addWatchFile(fileOf(language));
      return `export default ${JSON.stringify(compiled(language, part))}`;
    },
  };
}

const languages = (): string[] => readdirSync(DIR).map((name) => name.replace(/\.json$/, ''));

const fileOf = (language: string) => `${DIR}${language}.json`;

/** English is there from the start and stands in; every other text is loaded when it is needed. */
function index(): string {
  const loaders = languages().map((language) => {
    const parts = Object.keys(PARTS).concat(language === SOURCE ? [] : FIRST);
    const lines = parts.map((part) => `${part}: () => import('${TEXTS}/${language}-${part}')`);
    return `'${language}': { ${lines.join(', ')} }`;
  });
  return `export { default as first } from '${TEXTS}/${SOURCE}-${FIRST}';\nexport const load = { ${loaders.join(', ')} };`;
}

function compiled(language: string, part: string) {
  const texts = JSON.parse(readFileSync(fileOf(language), 'utf8')) as Texts;
  const own = Object.entries(texts).filter(([key]) => partOf(key) === part);
  return Object.fromEntries(own.map(([key, text]) => [key, compile(`${language} ${key}`, text)]));
}

function compile(key: string, text: string): string | MessageFormatElement[] {
  try {
    const ast = parse(text, { captureLocation: false });
    if (ast.length === 0) return '';
    const [only] = ast;
    return ast.length === 1 && only?.type === LITERAL ? only.value : ast;
  } catch (err) {
    throw new Error(`locales: ${key}: ${String(err)}`, { cause: err });
  }
}
