/// <reference types="svelte" />
/// <reference types="vite/client" />

/** The catalogues, made by catalogue.ts: a text, or the parsed message when it takes arguments. */
declare module 'virtual:texts' {
  type Texts = Record<string, string | never[]>;
  /** English texts of the first load. */
  export const first: Texts;
  /** By language and part; every language but English has a part `first`. */
  export const load: Record<string, Record<string, () => Promise<{ default: Texts }>>>;
}
