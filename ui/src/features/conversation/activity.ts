import { known, word, type Key, type Values } from '$core/i18n.svelte';
import type { TicketEvent } from '../ticket/ticket.types';

/** One change, ready to be written as a sentence. */
export interface Line {
  id: number;
  at: string;
  key: Key;
  values: Values;
}

/** Kinds that the messages themselves show, or that nobody needs to read. */
const SILENT = /^(message\.|reply\.|note\.|delivery\.|draft\.|ticket\.(read|viewed|unread|created|opened_by_mail))/;

/** The sentence for one event; null for those the thread does not show. */
export function describe(event: TicketEvent): Line | null {
  if (SILENT.test(event.kind)) return null;
  const actor = event.actor?.name || event.reason?.text || '';
  const values = {
    who: actor || word('actor', event.actor?.kind ?? 'system'),
    old: name(event, event.old),
    new: name(event, event.new),
  };
  const line = (key: Key, more: Values = {}): Line => ({
    id: event.seq,
    at: event.at,
    key,
    values: { ...values, ...more },
  });
  const key = known('event', event.kind);
  if (key === 'event.ticket.assigned' && !values.new) return line('event.ticket.unassigned');
  if (key) return line(key);
  return event.text ? line('event.other', { text: event.text }) : null;
}

/** Old and new values are ids, words or {name}: shown in the agent's language. */
function name(event: TicketEvent, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map((one) => name(event, one)).join(', ');
  if (typeof value === 'object') return String((value as { name?: string }).name ?? '');
  const what = /status|priority|type/.exec(event.kind)?.[0];
  return what ? word(what, String(value)) : String(value);
}
