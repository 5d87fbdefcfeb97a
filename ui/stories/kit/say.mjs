import { readFileSync } from 'node:fs';

/** The words of the workspace in a language: `say('action.save')` is what the button says. */
export function speaker(language) {
  const texts = JSON.parse(readFileSync(new URL(`../../locales/${language}.json`, import.meta.url), 'utf8'));
  return (key) => {
    if (!(key in texts)) throw new Error(`no such text: ${key}`);
    return texts[key];
  };
}
