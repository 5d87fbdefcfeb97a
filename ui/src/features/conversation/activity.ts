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
const SILENT = /^(message\.|delivery\.|ticket\.(read|opened))/;

/** Kinds whose values are words of the catalogue. */
const WORDS: Record<string, string> = {
  'ticket.status_changed': 'status',
  'ticket.prioritized': 'priority',
  'ticket.retyped': 'type',
};

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
  // Where a ticket starts is no move.
  if (key === 'event.ticket.moved' && !values.old) return null;
  if (key === 'event.ticket.assigned' && !values.new) return line('event.ticket.unassigned');
  if (key === 'event.ticket.assigned' && values.new === values.who) return line('event.ticket.taken');
  if (key) return line(key);
  return event.text ? line('event.other', { text: event.text }) : null;
}

/** Old and new values are ids, words or {name}: shown in the agent's language. */
function name(event: TicketEvent, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map((one) => name(event, one)).join(', ');
  if (typeof value === 'object') return String((value as { name?: string }).name ?? '');
  const words = WORDS[event.kind];
  return words ? word(words, String(value)) : String(value);
}
