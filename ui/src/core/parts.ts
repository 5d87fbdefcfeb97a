/**
 * Which groups of texts (the first word of a key) come with which lazily loaded
 * part of the workspace. A group named nowhere is there from the start.
 */
export const PARTS = {
  conversation: [
    'actor',
    'auth',
    'composer',
    'conversation',
    'draft',
    'event',
    'file',
    'looksLike',
    'message',
    'prop',
    'quote',
    'send',
    'side',
    'stale',
    'thread',
    'type',
    'upload',
    'warning',
    'why',
  ],
  delivery: ['delivery', 'deliveryState', 'smtp'],
  keys: ['key', 'keys', 'palette'],
  mailbox: ['hours', 'mailStep', 'mailTest', 'mailbox', 'preset', 'security'],
  me: ['me'],
  outbox: ['decide', 'heldBy', 'outbox'],
  sandbox: ['sandbox'],
  settings: [
    'invitation',
    'jobState',
    'jobs',
    'mailboxes',
    'people',
    'quarantine',
    'role',
    'roleHint',
    'settingGroup',
    'settings',
  ],
  setup: ['invite', 'setup'],
} as const satisfies Record<string, readonly string[]>;

/** What is there from the start. */
export const FIRST = 'first';

export type Part = keyof typeof PARTS;

/** The part that brings a key. */
export function partOf(key: string): string {
  const group = key.split('.')[0]!;
  const found = Object.entries<readonly string[]>(PARTS).find(([, groups]) => groups.includes(group));
  return found?.[0] ?? FIRST;
}
