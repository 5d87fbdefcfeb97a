import { SvelteMap } from 'svelte/reactivity';
import type { TicketRow } from './ticket.types';

/** Every ticket this tab has seen, by number: list and conversation draw from the same one. */
class Records {
  rows = new SvelteMap<number, TicketRow>();

  get(n: number): TicketRow | undefined {
    return this.rows.get(n);
  }

  /** Takes over what the server said, keeping fields that this answer left out. */
  put(ticket: Partial<TicketRow> & { number: number }) {
    const known = this.rows.get(ticket.number);
    this.rows.set(ticket.number, { ...known, ...ticket } as TicketRow);
  }

  /** Changes fields at once and returns what puts them back. */
  patch(n: number, change: Partial<TicketRow>): () => void {
    const before = this.rows.get(n);
    if (!before) return () => {};
    this.rows.set(n, { ...before, ...change });
    const old = Object.fromEntries(Object.keys(change).map((key) => [key, before[key as keyof TicketRow]]));
    return () => this.put({ ...old, number: n });
  }
}
export const records = new Records();
