// Exact gzip sizes of the built workspace against the budgets of ui.md. Run after `npm run build`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const manifest = JSON.parse(readFileSync(dist + '.vite/manifest.json', 'utf8'));
const KB = 1000;
const BUDGET = { first: 120, css: 20, editor: 140, route: 40, texts: 4 };
const CONVERSATION = 'src/features/conversation/Conversation.svelte';
const isEditor = (key) => key.endsWith('composer/Editor.svelte');

const gz = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length;

/** Every chunk that loads with this one, without its lazy parts. */
function together(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const other of manifest[key].imports ?? []) together(other, seen);
  return seen;
}
const js = (keys) => keys.reduce((sum, key) => sum + gz(manifest[key].file), 0);
const css = (keys) =>
  [...new Set(keys.flatMap((key) => manifest[key].css ?? []))].reduce((sum, file) => sum + gz(file), 0);

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const first = [...together(entry)];
const lazy = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry);
const texts = lazy.filter((key) => key.startsWith('virtual:texts/'));
const rows = [
  ['first load JS', js(first), BUDGET.first],
  ['first load CSS', css(first), BUDGET.css],
];
// English is in the first load; whoever reads another language gets its part besides.
for (const key of texts.filter((key) => key.endsWith('-first'))) {
  rows.push([`first load JS with ${manifest[key].name}`, js([...first, key]), BUDGET.first]);
}
for (const key of lazy.filter((key) => !texts.includes(key))) {
  // The editor only ever loads from within a conversation.
  const before = isEditor(key) ? [...first, ...together(CONVERSATION)] : first;
  const own = [...together(key)].filter((other) => !before.includes(other));
  rows.push([key.replace(/^src\/(features\/)?/, ''), js(own), isEditor(key) ? BUDGET.editor : BUDGET.route]);
}

const parts = texts.map((key) => [`texts ${manifest[key].name}`, js([key]), BUDGET.texts]);
rows.push(parts.sort((a, b) => b[1] - a[1])[0]);

let over = false;
for (const [name, bytes, budget] of rows) {
  const bad = bytes > budget * KB;
  over ||= bad;
  console.log(
    `${bad ? 'OVER' : ' ok '}  ${(bytes / KB).toFixed(1).padStart(6)} kB gz of ${String(budget).padStart(3)}  ${name}`,
  );
}
process.exit(over ? 1 : 0);
