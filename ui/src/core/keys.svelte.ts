import { matchKeyBindingPress, parseKeybinding, type KeyBindingPress } from 'tinykeys';
import { KEYMAP, type KeyEntry, type KeyId } from './keymap';
import { read, write } from './storage';

type Handler = (e: KeyboardEvent) => void | false;
export type Bindings = Partial<Record<KeyId, Handler>>;

interface Scope {
  bindings: { entry: KeyEntry; presses: KeyBindingPress[]; run: Handler }[];
  /** Nothing below this scope hears a key: a dialog. */
  modal: boolean;
}

const SEQUENCE_MS = 1000;
const MODIFIERS = new Set(['Shift', 'Control', 'Alt', 'Meta']);

/** Scopes of keys, the newest on top; the first handler that does not return false ends the search. */
export class KeyStack {
  /** Single letters can be switched off (WCAG 2.1.4); keys with Ctrl or Cmd stay. */
  enabled = $state(read('keys') !== 'off');
  #scopes: Scope[] = [];
  #started: { binding: Scope['bindings'][number]; index: number; at: number }[] = [];

  setEnabled(on: boolean) {
    this.enabled = on;
    write('keys', on ? null : 'off');
  }

  /** Adds a scope and returns what removes it. */
  push(bindings: Bindings, modal = false): () => void {
    const scope: Scope = {
      modal,
      bindings: Object.entries(bindings).flatMap(([id, run]) => {
        const entry: KeyEntry = KEYMAP[id as KeyId];
        const ways = entry.also ? [entry.keys, entry.also] : [entry.keys];
        return ways.map((keys) => ({ entry, presses: parseKeybinding(keys), run: run as Handler }));
      }),
    };
    this.#scopes.push(scope);
    return () => (this.#scopes = this.#scopes.filter((s) => s !== scope));
  }

  /** Whether any scope hears this key now, under dialogs too. */
  has(id: KeyId): boolean {
    return this.#scopes.some((scope) => scope.bindings.some((binding) => binding.entry === KEYMAP[id]));
  }

  /** Does what the key would do, asked for by name. */
  run(id: KeyId) {
    const bindings = this.#scopes.toReversed().flatMap((scope) => scope.bindings);
    const event = new KeyboardEvent('keydown');
    bindings.filter((binding) => binding.entry === KEYMAP[id]).some((binding) => binding.run(event) !== false);
  }

  listen(target: Window = window): () => void {
    const handle = (e: KeyboardEvent) => this.handle(e);
    target.addEventListener('keydown', handle);
    return () => target.removeEventListener('keydown', handle);
  }

  handle(e: KeyboardEvent) {
    if (e.defaultPrevented || e.isComposing || MODIFIERS.has(e.key)) return;
    if (this.#continue(e)) return;
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const scope = this.#scopes[i]!;
      if (this.#start(scope, e) || scope.modal) return;
    }
  }

  /** The second key of a sequence such as `g i` goes nowhere else. */
  #continue(e: KeyboardEvent): boolean {
    const started = this.#started.filter((s) => e.timeStamp - s.at < SEQUENCE_MS);
    this.#started = [];
    const hit = started.find((s) => matchKeyBindingPress(e, s.binding.presses[s.index]!));
    if (hit) this.#run(hit.binding.run, e);
    return hit !== undefined;
  }

  #start(scope: Scope, e: KeyboardEvent): boolean {
    for (const binding of scope.bindings) {
      if (!this.#heard(binding.entry, e) || !matchKeyBindingPress(e, binding.presses[0]!)) continue;
      if (binding.presses.length === 1) {
        if (this.#run(binding.run, e)) return true;
      } else this.#started.push({ binding, index: 1, at: e.timeStamp });
    }
    return this.#started.length > 0;
  }

  #heard(entry: KeyEntry, e: KeyboardEvent): boolean {
    if (entry.typing) return true;
    if (!this.enabled || isTyping(e.target)) return false;
    // Enter on a link or button is that element's own.
    return !(entry.keys === 'Enter' && (e.target as Element).closest?.('a,button,summary,[role=menuitem]'));
  }

  #run(run: Handler, e: KeyboardEvent): boolean {
    if (run(e) === false) return false;
    e.preventDefault();
    return true;
  }
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export const keys = new KeyStack();

const NAMES: Record<string, string> = { $mod: 'Ctrl', Enter: '↵', Escape: 'Esc', '?': '?' };

/** How a key is written on screen: `Shift+?` is `?`, `$mod` is ⌘ on a Mac. */
export function keyLabel(keysText: string): string[] {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  return keysText.split(' ').map((press) =>
    press
      .replace('Shift+?', '?')
      .split('+')
      .map((k) => (k === '$mod' && mac ? '⌘' : (NAMES[k] ?? (k.length === 1 ? k.toUpperCase() : k))))
      .join(mac ? '' : '+'),
  );
}
