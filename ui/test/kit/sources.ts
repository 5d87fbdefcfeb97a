const raw = import.meta.glob<string>('../../src/**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });

/** Every file of the workspace by its path below src. */
export const sources = new Map(Object.entries(raw).map(([path, code]) => [path.replace('../../src/', ''), code]));

const IMPORT = /^\s*(?:import|export)\s+(?!type\b)(?:[^'"();]*?\sfrom\s+)?'([^']+)'/gm;
const LAZY = /import\(\s*'([^']+)'\)((?:,\s*'\w+')*)/g;

function resolve(from: string, spec: string): string | undefined {
  const path = spec.startsWith('$')
    ? spec.slice(1)
    : spec.startsWith('.')
      ? new URL(spec, `file:///${from}`).pathname.slice(1)
      : null;
  if (path === null) return undefined;
  return [path, `${path}.ts`, `${path}.svelte.ts`].find((one) => sources.has(one));
}

/** The file and all that it imports at once. */
export function together(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, spec] of sources.get(file)!.matchAll(IMPORT)) {
    const next = resolve(file, spec!);
    if (next) together(next, seen);
  }
  return seen;
}

/** Every file loaded lazily, who loads it, and the parts of the texts brought along. */
export function lazy(): { from: string; file: string; parts: string[] }[] {
  return [...sources].flatMap(([from, code]) =>
    [...code.matchAll(LAZY)].flatMap(([, spec, parts]) => {
      const file = resolve(from, spec!);
      return file ? [{ from, file, parts: [...parts!.matchAll(/\w+/g)].map(([name]) => name) }] : [];
    }),
  );
}
