import type { Key } from './i18n.svelte';

/** Every key of the workspace: what `?` shows and what scopes bind, in one table. */
export interface KeyEntry {
  keys: string;
  group: 'global' | 'list' | 'conversation' | 'composer';
  label: Key;
  /** The same key as other keyboards send it. */
  also?: string;
  /** Works while a text field has the focus. */
  typing?: boolean;
}

export const KEYMAP = {
  help: { keys: 'Shift+?', also: '?', group: 'global', label: 'keys.help' },
  search: { keys: '/', group: 'global', label: 'keys.search' },
  undo: { keys: 'z', group: 'global', label: 'keys.undo' },
  goInbox: { keys: 'g i', group: 'global', label: 'keys.goInbox' },
  goUnassigned: { keys: 'g u', group: 'global', label: 'keys.goUnassigned' },
  goAll: { keys: 'g a', group: 'global', label: 'keys.goAll' },
  goOutbox: { keys: 'g o', group: 'global', label: 'keys.goOutbox' },
  next: { keys: 'j', group: 'list', label: 'keys.next' },
  previous: { keys: 'k', group: 'list', label: 'keys.previous' },
  open: { keys: 'Enter', group: 'list', label: 'keys.open' },
  openAlso: { keys: 'o', group: 'list', label: 'keys.open' },
  select: { keys: 'x', group: 'list', label: 'keys.select' },
  selectRange: { keys: 'Shift+X', group: 'list', label: 'keys.selectRange' },
  unread: { keys: 'Shift+U', group: 'list', label: 'keys.unread' },
  back: { keys: 'u', group: 'list', label: 'keys.back' },
  solve: { keys: 'e', group: 'conversation', label: 'keys.solve' },
  reopen: { keys: 'Shift+E', group: 'conversation', label: 'keys.reopen' },
  reply: { keys: 'r', group: 'conversation', label: 'keys.reply' },
  replyAll: { keys: 'Shift+R', group: 'conversation', label: 'keys.replyAll' },
  note: { keys: 'i', group: 'conversation', label: 'keys.note' },
  assign: { keys: 'a', group: 'conversation', label: 'keys.assign' },
  assignMe: { keys: 'Shift+A', group: 'conversation', label: 'keys.assignMe' },
  tag: { keys: 't', group: 'conversation', label: 'keys.tag' },
  priority: { keys: 'p', group: 'conversation', label: 'keys.priority' },
  team: { keys: 'v', group: 'conversation', label: 'keys.team' },
  panel: { keys: '.', group: 'conversation', label: 'keys.panel' },
  nextMessage: { keys: ']', group: 'conversation', label: 'keys.nextMessage' },
  previousMessage: { keys: '[', group: 'conversation', label: 'keys.previousMessage' },
  send: { keys: '$mod+Enter', group: 'composer', label: 'keys.send', typing: true },
  sendSolve: { keys: '$mod+Shift+Enter', group: 'composer', label: 'keys.sendSolve', typing: true },
  toggleNote: { keys: '$mod+Shift+N', group: 'composer', label: 'keys.toggleNote', typing: true },
  leave: { keys: 'Escape', group: 'composer', label: 'keys.leave', typing: true },
} as const satisfies Record<string, KeyEntry>;

export type KeyId = keyof typeof KEYMAP;
