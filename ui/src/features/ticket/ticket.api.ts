import { get, patch, post, type Page } from '$core/api';
import type { Recipients, Ticket, TicketChange, TicketDetail, TicketEvent, TicketRow, WhyReason } from './ticket.types';

export interface ListQuery {
  view?: string;
  status?: string;
  team?: string;
  q?: string;
  sort?: string;
  limit?: number;
  cursor?: string;
}

const one = (n: number) => `/api/desk/tickets/${n}`;

export const ticketApi = {
  list: (query: ListQuery, signal?: AbortSignal) => get<Page<TicketRow>>('/api/desk/tickets', { ...query }, signal),
  get: (n: number, signal?: AbortSignal) => get<TicketDetail>(one(n), {}, signal),
  older: (n: number, cursor: string) => get<TicketDetail>(one(n), { cursor }),
  events: (n: number) => get<{ items: TicketEvent[] }>(`${one(n)}/events`),
  why: (n: number) => get<{ reasons: WhyReason[] }>(`${one(n)}/why`),
  change: (n: number, change: TicketChange) => patch<Ticket>(one(n), change),
  /** Each as change does; what is refused for one says so and leaves the others changed. */
  changeMany: (numbers: number[], change: TicketChange) =>
    post<{ items: { number: number; ticket: Ticket | null; error: { message: string } | null }[] }>(
      '/api/desk/tickets/bulk',
      { numbers, change },
    ),
  solve: (n: number) => post<Ticket>(`${one(n)}/solution`),
  reopen: (n: number) => post<Ticket>(`${one(n)}/reopening`),
  markRead: (n: number, unread = false) => post<void>(`${one(n)}/read`, unread ? { unread } : {}),
  recipients: (n: number, message: string, all: boolean) =>
    get<Recipients>(`${one(n)}/recipients`, { message, all: all ? 1 : undefined }),
};
