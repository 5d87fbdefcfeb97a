import { sameDay } from '$core/format';
import type { Message, TicketEvent } from '../ticket/ticket.types';
import { describe, type Line } from './activity';

export type StreamItem =
  | { type: 'day'; id: string; at: string }
  | { type: 'message'; id: string; message: Message; open: boolean }
  | { type: 'earlier'; id: string; messages: Message[] }
  | { type: 'changes'; id: string; lines: Line[] };

const OPEN_LAST = 2;
const FOLD_FROM = 3;

/**
 * What the thread shows, top to bottom: messages with the changes between them
 * and a line at each new day. The last two messages are open, older ones take
 * one line each, and three or more of those stand behind one line together
 * unless `unfolded` says otherwise.
 */
export function stream(
  messages: Message[],
  events: TicketEvent[],
  unfolded: boolean,
  opened: Set<string>,
): StreamItem[] {
  const firstOpen = Math.max(0, messages.length - OPEN_LAST);
  const items: StreamItem[] = [];
  let start = 0;
  if (!unfolded && firstOpen >= FOLD_FROM && !messages.slice(0, firstOpen).some((m) => opened.has(m.id))) {
    start = firstOpen;
    items.push({ type: 'earlier', id: 'earlier', messages: messages.slice(0, firstOpen) });
  }
  const from = messages[start]?.created ?? '';
  const lines = events.map((event) => describe(event)).filter((line) => line !== null);
  let pending = lines.filter((line) => start === 0 || line.at >= from);
  let lastDay: string | null = null;
  for (const [index, message] of messages.entries()) {
    if (index < start) continue;
    const before = pending.filter((line) => line.at <= message.created);
    pending = pending.filter((line) => line.at > message.created);
    if (before.length) items.push(changes(before));
    if (lastDay === null || !sameDay(lastDay, message.created)) {
      items.push({ type: 'day', id: `day-${message.id}`, at: message.created });
      lastDay = message.created;
    }
    items.push({ type: 'message', id: message.id, message, open: index >= firstOpen || opened.has(message.id) });
  }
  if (pending.length) items.push(changes(pending));
  return items;
}

const changes = (lines: Line[]): StreamItem => ({ type: 'changes', id: `ev-${lines[0]!.id}`, lines });
