import { on } from '$core/bus';
import { sentence } from '$core/errors';
import { live } from '$core/live.svelte';
import { markRead } from '../ticket/actions';
import { records } from '../ticket/records.svelte';
import { ticketApi } from '../ticket/ticket.api';
import type { Message, TicketDetail, TicketEvent, TicketRow } from '../ticket/ticket.types';

const READ_MS = 1000;
const REFRESH_MS = 150;
const KEEP = 24;

/** One ticket with its messages and what happened to it, as long as it is of interest. */
export class Conversation {
  detail = $state.raw<TicketDetail | null>(null);
  messages = $state.raw<Message[]>([]);
  events = $state.raw<TicketEvent[]>([]);
  older = $state<string | null>(null);
  loadingOlder = $state(false);
  problem = $state<string | null>(null);
  /** The ticket does not exist, or this agent may not see it. */
  gone = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loads = 0;

  constructor(readonly number: number) {}

  /** The ticket as all parts of the screen show it, changes not yet confirmed included. */
  get ticket(): TicketRow | undefined {
    return records.get(this.number) ?? this.detail ?? undefined;
  }

  get may() {
    return this.detail?.permissions ?? { reply: false, note: false, change: false, assign: false };
  }

  /** Listens, then loads, and marks the ticket read once it has been seen for a second. */
  show(): () => void {
    const offs = [
      live.watch(`ticket:${this.number}`),
      on('tickets.changed', ({ numbers }) => numbers.includes(this.number) && this.reloadSoon()),
      on('live.resumed', () => this.reloadSoon()),
    ];
    void this.load();
    const timer = setTimeout(() => void markRead(this.number), READ_MS);
    return () => {
      clearTimeout(timer);
      offs.forEach((off) => off());
    };
  }

  reloadSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), REFRESH_MS);
  }

  async load() {
    const turn = ++this.#loads;
    try {
      const [detail, events] = await Promise.all([
        ticketApi.get(this.number),
        ticketApi.events(this.number).catch(() => ({ items: this.events })),
      ]);
      if (turn !== this.#loads) return;
      this.#take(detail);
      this.events = events.items;
      this.problem = null;
      this.gone = false;
    } catch (err) {
      if (turn !== this.#loads) return;
      this.gone = (err as { status?: number }).status === 404;
      this.problem = sentence(err);
    }
  }

  async loadOlder() {
    if (!this.older || this.loadingOlder) return;
    this.loadingOlder = true;
    try {
      const page = (await ticketApi.older(this.number, this.older)).messages;
      const known = new Set(this.messages.map((m) => m.id));
      this.messages = [...page.items.filter((m) => !known.has(m.id)), ...this.messages];
      this.older = page.next_cursor;
    } catch {
      // The button stays: it can be pressed again.
    }
    this.loadingOlder = false;
  }

  /** A message that was just written here. */
  add(message: Message) {
    if (!this.messages.some((m) => m.id === message.id)) this.messages = [...this.messages, message];
    this.reloadSoon();
  }

  remove(id: string) {
    this.messages = this.messages.filter((m) => m.id !== id);
  }

  /** The id a reply must name to prove its writer has seen everything. */
  get lastSeen(): string | undefined {
    return this.messages.at(-1)?.id;
  }

  get lastFromCustomer(): Message | undefined {
    return this.messages.findLast((m) => m.kind === 'customer');
  }

  #take(detail: TicketDetail) {
    const { messages, permissions: _p, event: _e, reply: _r, ...row } = detail;
    const first = this.detail === null;
    this.detail = detail;
    const known = records.get(this.number);
    records.put(known ? { ...row, unread: known.unread, preview: row.preview ?? known.preview } : row);
    const fresh = new Set(messages.items.map((m) => m.id));
    const oldest = messages.items[0]?.created ?? '';
    // Pages loaded before stay; what the newest page no longer holds (an undone reply) goes.
    const kept = first ? [] : this.messages.filter((m) => !fresh.has(m.id) && m.created < oldest);
    this.messages = [...kept, ...messages.items];
    if (kept.length === 0) this.older = messages.next_cursor;
  }
}

const cache = new Map<number, Conversation>();

/** The conversation of a ticket; a recently seen one is there at once. */
export function conversation(n: number): Conversation {
  const found = cache.get(n) ?? new Conversation(n);
  cache.delete(n);
  cache.set(n, found);
  for (const old of cache.keys()) {
    if (cache.size <= KEEP) break;
    cache.delete(old);
  }
  return found;
}

export const forgetConversations = () => cache.clear();
