import { parse, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';

/**
 * Reads the catalogues at build time: a message without arguments becomes its
 * text, any other its parsed form, so that no parser has to travel to the browser.
 */
export function catalogues(): Plugin {
  return {
    name: 'deskbell-catalogues',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/locales\/[\w-]+\.json$/.test(id)) return;
      const texts = JSON.parse(code) as Record<string, string>;
      return {
        code: JSON.stringify(Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, compile(key, text)]))),
      };
    },
  };
}

const LITERAL = 0;

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
