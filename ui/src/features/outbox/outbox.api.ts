import { del, get, patch, post, type Page } from '$core/api';
import type { Address, DeliveryState, Recipient } from '../ticket/ticket.types';

export interface OutboxItem {
  id: string;
  state: DeliveryState;
  kind: string;
  ticket: { number: number; subject: string } | null;
  message: string | null;
  subject: string;
  to: Address[];
  attempts: number;
  next_try: string | null;
  server_answer: string;
  /** When a person put it away; null when nobody did. */
  put_away: string | null;
  held_by: 'undo' | 'breaker' | 'pause' | null;
  recipients: Recipient[];
  created: string;
  updated: string;
  author: { name: string } | null;
}

export interface OutboxSummary {
  states: Partial<Record<DeliveryState, number>>;
  server: { host: string; state: 'ok' | 'failing' | 'unknown'; text: string };
  automatic: { this_minute: number; limit: number; held: number; paused?: boolean };
  waiting: { n: number; oldest: string | null };
  sent_today: number;
}

export const outboxApi = {
  list: (state: string | undefined, cursor?: string) =>
    get<Page<OutboxItem>>('/api/desk/outbox', { state, cursor, limit: 50 }),
  summary: () => get<OutboxSummary>('/api/desk/outbox/summary'),
  retry: (id: string) => post<unknown>(`/api/desk/outbox/${id}/retry`),
  /** Seen to: it stays what it is and asks for nobody any more. */
  putAway: (id: string) => post<unknown>(`/api/desk/outbox/${id}/resolution`, { outcome: 'put_away' }),
  settle: (id: string) => post<unknown>(`/api/desk/outbox/${id}/resolution`, { outcome: 'sent' }),
  undo: (id: string) => del<unknown>(`/api/desk/outbox/${id}`),
  pause: (paused: boolean) => patch<unknown>('/api/desk/outbox/pause', { paused }),
};
