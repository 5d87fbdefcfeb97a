import { IntlMessageFormat } from 'intl-messageformat';
import { untrack } from 'svelte';
import { first, load } from 'virtual:texts';
import type en from '../../locales/en.json';
import type { Part } from './parts';
import { read, write } from './storage';

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
export type Language = 'en' | 'de';
/** Every language by its own name. */
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const languageOf = (tag: string | null | undefined): Language | undefined => {
  const language = tag?.split('-')[0]?.toLowerCase() ?? '';
  return language in LANGUAGES ? (language as Language) : undefined;
};

/** The language of the workspace, and its texts as far as the parts on screen need them. */
class Locale {
  current = $state<Language>('en');
  /** What the agent chose in this browser; undefined follows the browser's own language. */
  choice = $state.raw(languageOf(read('language')));
  /** The language with its region, such as en-GB: how dates and numbers are written. */
  tag = $derived(navigator.languages.find((tag) => languageOf(tag) === this.current) ?? this.current);
  #texts: Record<Language, Record<string, Message>> = { en: { ...first }, de: {} };
  #parts = new Set<string>(['first']);
  #next: Language = 'en';

  /** Takes the chosen language, else the browser's, else English, which is also there when nothing loads. */
  async start() {
    const browser = navigator.languages.map(languageOf).find((one) => one !== undefined);
    await this.#use(this.choice ?? browser ?? 'en').catch(() => this.#show('en'));
  }

  /** Changes the language of everything on screen. Rejects when its texts can't be loaded. */
  async choose(language: Language) {
    await this.#use(language);
    this.choice = language;
    write('language', language);
  }

  /** Takes over what the agent chose elsewhere; a language unknown here changes nothing. */
  async follow(tag: string | undefined) {
    const language = languageOf(tag);
    if (language && language !== this.choice) await this.choose(language).catch(() => undefined);
  }

  /** Loads the texts of parts before they are drawn. */
  async bring(...parts: Part[]) {
    for (const part of parts) this.#parts.add(part);
    // Whoever draws a part must not draw it anew in another language: its texts change by themselves.
    const now = untrack(() => this.current);
    await Promise.all([...new Set([now, this.#next])].map((one) => this.#load(one, parts)));
  }

  find(key: string): Message | undefined {
    return this.#texts[this.current][key] ?? this.#texts.en[key];
  }

  async #use(language: Language) {
    this.#next = language;
    await this.#load(language, [...this.#parts]);
    if (this.#next === language) this.#show(language);
  }

  #show(language: Language) {
    this.#next = this.current = language;
    document.documentElement.lang = language;
  }

  async #load(language: Language, parts: string[]) {
    const found = await Promise.all(parts.map((part) => load[language]![part]?.()));
    for (const one of found) Object.assign(this.#texts[language], one?.default);
  }
}
export const locale = new Locale();

/** A lazily loaded part of the workspace, there only together with its texts. */
export function withTexts<T>(code: () => Promise<T>, ...parts: Part[]): () => Promise<T> {
  return async () => (await Promise.all([code(), locale.bring(...parts)]))[0];
}

const compiled = new Map<string, IntlMessageFormat>();

function format(key: Key, message: never[]): IntlMessageFormat {
  const id = `${locale.tag}:${key}`;
  let made = compiled.get(id);
  if (!made) compiled.set(id, (made = new IntlMessageFormat(message, locale.tag)));
  return made;
}

/** The text of key in the agent's language. */
export function t(key: Key, values?: Values): string {
  const message = locale.find(key) ?? key;
  return typeof message === 'string' ? message : String(format(key, message).format(values as Record<string, string>));
}

/** The text of key as runs, so that <b>…</b> in a catalogue can be drawn without HTML. */
export function runs(key: Key, values: Values = {}): Run[] {
  const message = locale.find(key) ?? key;
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
  return locale.find(key) === undefined ? undefined : (key as Key);
}

/** The word from the server in the agent's language, or the word itself. */
export function word(prefix: string, value: string): string {
  const key = known(prefix, value);
  return key ? t(key) : value.replaceAll('_', ' ');
}
