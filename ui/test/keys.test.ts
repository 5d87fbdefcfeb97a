import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KEYMAP } from '../src/core/keymap';
import { isTyping, keyLabel, KeyStack } from '../src/core/keys.svelte';

let stack: KeyStack;
beforeEach(() => {
  localStorage.clear();
  document.body.innerHTML = '';
  stack = new KeyStack();
});

function press(key: string, init: KeyboardEventInit = {}, target: EventTarget = document.body) {
  const e = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(e);
  stack.handle(e);
  return e;
}

describe('scopes', () => {
  it('asks the newest scope first and goes on when it declines', () => {
    const list = vi.fn();
    const conversation = vi.fn(() => false as const);
    stack.push({ next: list });
    stack.push({ next: conversation });
    press('j');
    expect(conversation).toHaveBeenCalledOnce();
    expect(list).toHaveBeenCalledOnce();
  });

  it('hears nothing below a dialog', () => {
    const list = vi.fn();
    stack.push({ next: list });
    const close = stack.push({}, true);
    press('j');
    expect(list).not.toHaveBeenCalled();
    close();
    press('j');
    expect(list).toHaveBeenCalledOnce();
  });

  it('keeps the second key of a sequence from the scope above', () => {
    const go = vi.fn();
    const note = vi.fn();
    stack.push({ goInbox: go });
    stack.push({ note });
    press('g');
    press('i');
    expect(go).toHaveBeenCalledOnce();
    expect(note).not.toHaveBeenCalled();
    press('i');
    expect(note).toHaveBeenCalledOnce();
  });

  it('tells e from Shift+E', () => {
    const solve = vi.fn();
    const reopen = vi.fn();
    stack.push({ solve, reopen });
    press('e');
    press('E', { shiftKey: true });
    expect(solve).toHaveBeenCalledOnce();
    expect(reopen).toHaveBeenCalledOnce();
  });
});

describe('typing', () => {
  it('turns letters off in a text field, but not Ctrl+Enter', () => {
    document.body.innerHTML = '<textarea></textarea>';
    const field = document.querySelector('textarea')!;
    const solve = vi.fn();
    const send = vi.fn();
    stack.push({ solve, send });
    press('e', {}, field);
    press('Enter', { ctrlKey: true }, field);
    expect(solve).not.toHaveBeenCalled();
    expect(send).toHaveBeenCalledOnce();
  });

  it('can be switched off and stays off', () => {
    const solve = vi.fn();
    stack.push({ solve });
    stack.setEnabled(false);
    press('e');
    expect(solve).not.toHaveBeenCalled();
    expect(new KeyStack().enabled).toBe(false);
  });

  it('knows text fields', () => {
    expect(isTyping(document.createElement('input'))).toBe(true);
    expect(isTyping(document.createElement('button'))).toBe(false);
    expect(isTyping(null)).toBe(false);
  });
});

it('binds no key twice in what is heard together', () => {
  const seen = new Map<string, string>();
  for (const [id, entry] of Object.entries(KEYMAP)) {
    expect(seen.get(entry.keys), `${entry.keys} is ${seen.get(entry.keys)} and ${id}`).toBeUndefined();
    seen.set(entry.keys, id);
  }
});

it('writes keys as people read them', () => {
  expect(keyLabel('g i')).toEqual(['G', 'I']);
  expect(keyLabel('Shift+?')).toEqual(['?']);
  expect(keyLabel('$mod+Enter')).toEqual(['Ctrl+↵']);
});
