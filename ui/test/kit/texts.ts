import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { sources } from './sources';

const raw = import.meta.glob<string>('../../locales/*.json', { query: '?raw', import: 'default', eager: true });

/** The catalogues by language. */
export const catalogues = new Map(
  Object.entries(raw).map(([path, json]) => [
    path.replace(/^.*\/|\.json$/g, ''),
    JSON.parse(json) as Record<string, string>,
  ]),
);
export const english = catalogues.get('en')!;

/** What a message takes, as "name:kind", marks such as <b> too. */
export function argumentsOf(text: string): string[] {
  const found = new Set<string>();
  const look = (nodes: MessageFormatElement[]) => {
    for (const node of nodes) {
      if (node.type !== TYPE.literal && node.type !== TYPE.pound) found.add(`${node.value}:${TYPE[node.type]}`);
      if (node.type === TYPE.tag) look(node.children);
      if ('options' in node) Object.values(node.options).forEach((option) => look(option.value));
    }
  };
  look(parse(text));
  return [...found].sort();
}

const KEY = /'([a-zA-Z]\w*(?:\.[\w-]+)*)'/g;
const TEMPLATE = /`([a-zA-Z][\w.]*\.)\$\{[^`}]*\}(\w*)`/g;
const WORD = /\b(?:word|known)\(\s*(?:'(\w+)')?/g;

/** What a file may ask for: keys spelled out, patterns of keys, and groups of the server's words. */
function asked(code: string): { keys: string[]; patterns: RegExp[] } {
  const quoted = [...code.matchAll(KEY)].map(([, one]) => one!);
  const groups = [...code.matchAll(WORD)].flatMap(([, group]) => (group ? [group] : quoted));
  return {
    keys: quoted,
    patterns: [
      ...[...code.matchAll(TEMPLATE)].map(
        ([, start, end]) => new RegExp(`^${start!.replaceAll('.', '\\.')}\\w+${end}$`),
      ),
      ...groups.map((group) => new RegExp(`^${group}\\.`)),
    ],
  };
}

/** The keys of the English catalogue that these files use. */
export function usedBy(files: Iterable<string>): Set<string> {
  const used = new Set<string>();
  for (const file of files) {
    if (file === 'core/i18n.svelte.ts') continue;
    const { keys, patterns } = asked(sources.get(file)!);
    for (const key of Object.keys(english)) {
      if (keys.includes(key) || patterns.some((pattern) => pattern.test(key))) used.add(key);
    }
  }
  return used;
}
