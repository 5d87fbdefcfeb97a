import { IntlMessageFormat } from 'intl-messageformat';
import en from '../../locales/en.json';

export type Key = keyof typeof en;
type Value = string | number | boolean | Date | null | undefined;
export type Values = Record<string, Value>;
/** A run of text in a sentence; `tag` names the mark around it in the catalogue, such as <b>. */
export interface Run {
  text: string;
  tag?: string;
}

/** Plain text, or the parsed message when it takes arguments (see catalogue.ts). */
type Message = string | never[];
const catalogues: Record<string, Record<string, Message>> = { en };
const compiled = new Map<string, IntlMessageFormat>();

class Locale {
  /** Language of the texts; falls back to English key by key. */
  current = $state('en');
}
export const locale = new Locale();

function find(key: Key): Message {
  return catalogues[locale.current]?.[key] ?? (en[key] as Message | undefined) ?? key;
}

function format(key: Key, message: never[]): IntlMessageFormat {
  const id = `${locale.current}:${key}`;
  let made = compiled.get(id);
  if (!made) compiled.set(id, (made = new IntlMessageFormat(message, locale.current)));
  return made;
}

/** The text of key in the agent's language. */
export function t(key: Key, values?: Values): string {
  const message = find(key);
  return typeof message === 'string' ? message : String(format(key, message).format(values as Record<string, string>));
}

/** The text of key as runs, so that <b>…</b> in a catalogue can be drawn without HTML. */
export function runs(key: Key, values: Values = {}): Run[] {
  const message = find(key);
  if (typeof message === 'string') return [{ text: message }];
  const mark = (tag: string) => (chunks: unknown[]) => ({ tag, text: chunks.join('') });
  const parts = format(key, message).format({ ...values, b: mark('b') } as never) as unknown;
  return (Array.isArray(parts) ? parts : [parts]).map((part) =>
    typeof part === 'object' && part !== null ? (part as Run) : { text: String(part) },
  );
}

/** A key made of a prefix and a word from the server; undefined when the catalogue lacks it. */
export function known(prefix: string, word: string): Key | undefined {
  const key = `${prefix}.${word}`;
  return key in en ? (key as Key) : undefined;
}

/** The word from the server in the agent's language, or the word itself. */
export function word(prefix: string, value: string): string {
  const key = known(prefix, value);
  return key ? t(key) : value.replaceAll('_', ' ');
}
