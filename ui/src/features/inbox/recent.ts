import { read, write } from '$core/storage';

const KEEP = 6;
const LEAST = 3;

/** What was searched for last in this browser, the newest first. */
export function recent(): string[] {
  try {
    const all: unknown = JSON.parse(read('searches') ?? '[]');
    return Array.isArray(all) ? all.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

/** Keeps a search, in place of what was typed on the way to it. */
export function remember(text: string) {
  if (text.length < LEAST) return;
  const others = recent().filter((one) => !text.startsWith(one) && one !== text);
  write('searches', JSON.stringify([text, ...others].slice(0, KEEP)));
}
