/** Every key of the workspace: what `?` shows and what scopes bind, in one table; its words are `key.<id>`. */
export interface KeyEntry {
  keys: string;
  group: 'global' | 'list' | 'conversation' | 'composer';
  /** The same key as other keyboards send it. */
  also?: string;
  /** Works while a text field has the focus. */
  typing?: boolean;
}

export const KEYMAP = {
  palette: { keys: '$mod+K', group: 'global', typing: true },
  help: { keys: 'Shift+?', also: '?', group: 'global' },
  search: { keys: '/', group: 'global' },
  undo: { keys: 'z', group: 'global' },
  goInbox: { keys: 'g i', group: 'global' },
  goUnassigned: { keys: 'g u', group: 'global' },
  goAll: { keys: 'g a', group: 'global' },
  goOutbox: { keys: 'g o', group: 'global' },
  next: { keys: 'j', group: 'list' },
  previous: { keys: 'k', group: 'list' },
  open: { keys: 'Enter', group: 'list' },
  openAlso: { keys: 'o', group: 'list' },
  select: { keys: 'x', group: 'list' },
  selectRange: { keys: 'Shift+X', group: 'list' },
  unread: { keys: 'Shift+U', group: 'list' },
  back: { keys: 'u', group: 'list' },
  solve: { keys: 'e', group: 'conversation' },
  reopen: { keys: 'Shift+E', group: 'conversation' },
  reply: { keys: 'r', group: 'conversation' },
  replyAll: { keys: 'Shift+R', group: 'conversation' },
  note: { keys: 'i', group: 'conversation' },
  assign: { keys: 'a', group: 'conversation' },
  assignMe: { keys: 'Shift+A', group: 'conversation' },
  tag: { keys: 't', group: 'conversation' },
  priority: { keys: 'p', group: 'conversation' },
  team: { keys: 'v', group: 'conversation' },
  panel: { keys: '.', group: 'conversation' },
  nextMessage: { keys: ']', group: 'conversation' },
  previousMessage: { keys: '[', group: 'conversation' },
  send: { keys: '$mod+Enter', group: 'composer', typing: true },
  sendSolve: { keys: '$mod+Shift+Enter', group: 'composer', typing: true },
  toggleNote: { keys: '$mod+Shift+N', group: 'composer', typing: true },
  leave: { keys: 'Escape', group: 'composer', typing: true },
} as const satisfies Record<string, KeyEntry>;

export type KeyId = keyof typeof KEYMAP;
