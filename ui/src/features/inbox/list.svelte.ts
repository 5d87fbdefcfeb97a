import { untrack } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { ApiError } from '$core/errors';
import { on } from '$core/bus';
import { records } from '../ticket/records.svelte';
import { ticketApi, type ListQuery } from '../ticket/ticket.api';
import type { TicketRow } from '../ticket/ticket.types';
import { belongs, viewQuery, type Sort, type TabId } from './views';

const PAGE = 60;
const REFRESH_MS = 250;
/** How many lists are kept for the way back. */
const SHELF = 8;
/** The largest page the server gives, and how many rows one action may take at once. */
const BIG_PAGE = 200;
export const SELECT_MAX = 1000;

export interface ListKey {
  view: string;
  tab: TabId;
  sort: Sort;
  q: string;
}

/**
 * The list of one view. Rows keep their place while someone looks at them: news
 * changes a row where it stands, and new rows wait behind the "3 new" pill.
 */
export class TicketList {
  numbers = $state.raw<number[]>([]);
  loading = $state(true);
  /** Every row is being selected: those not shown yet are on their way. */
  selecting = $state(false);
  problem = $state<string | null>(null);
  /** Rows that arrived since the list was drawn. */
  fresh = $state.raw<number[]>([]);
  selected = new SvelteSet<number>();
  key = $state.raw<ListKey>({ view: '', tab: 'open', sort: '-updated', q: '' });
  /** How far the list is scrolled, to stand there again after a look elsewhere. */
  offset = 0;
  /** Another number with every list opened. */
  turn = $state(0);
  /** Lists left behind, for the way back. */
  #shelf = new Map<string, { numbers: number[]; cursor: string | null; offset: number }>();
  #cursor = $state.raw<string | null>(null);
  #more: Promise<boolean> | null = null;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #anchor: number | null = null;
  /** Rows this tab took out before the server agreed: a refresh must not bring them back as new. */
  #leaving = new Set<number>();
  /** The list as it was when a row was taken out: where an undo puts it back. */
  #places = new Map<number, number[]>();

  constructor(private readonly me: () => string) {}

  /** Hears the news until the returned function is called. What was missed before is fetched first. */
  start(): () => void {
    // Untracked: what this fetches must not start it again.
    untrack(() => {
      if (this.key.view) void (this.numbers.length > PAGE ? this.refresh() : this.reload());
    });
    const offs = [on('tickets.changed', () => this.refreshSoon()), on('live.resumed', () => this.refreshSoon())];
    return () => offs.forEach((off) => off());
  }

  get rows(): TicketRow[] {
    return this.numbers.map((n) => records.get(n)).filter((row) => row !== undefined);
  }

  /** Shows another list; returned: as it was left, when the browser went back to it. */
  async open(key: ListKey, returned = false) {
    const id = JSON.stringify(key);
    const old = JSON.stringify(this.key);
    if (id === old) return;
    this.#leave(old);
    const before = returned ? this.#shelf.get(id) : undefined;
    this.key = key;
    this.numbers = (before?.numbers ?? []).filter((n) => this.#stays(n) || key.q !== '');
    this.#cursor = before?.cursor ?? null;
    this.offset = before?.offset ?? 0;
    this.fresh = [];
    this.selected.clear();
    this.#places.clear();
    this.turn++;
    await (this.numbers.length ? this.refresh() : this.reload());
  }

  /** Keeps what the list shows, and forgets the list left longest ago. */
  #leave(id: string) {
    const { numbers, offset } = this;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.loading = false;
    if (!numbers.length) return;
    this.#shelf.delete(id);
    this.#shelf.set(id, { numbers, cursor: this.#cursor, offset });
    if (this.#shelf.size > SHELF) this.#shelf.delete(this.#shelf.keys().next().value!);
  }

  async reload() {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.loading = this.numbers.length === 0;
    this.problem = null;
    try {
      const page = await ticketApi.list(this.#query(), signal);
      if (signal.aborted) return;
      this.#take(page.items);
      this.numbers = page.items.map((row) => row.number);
      this.#cursor = page.next_cursor;
      this.fresh = [];
    } catch (err) {
      if (signal.aborted) return;
      this.problem = err instanceof ApiError ? err.message : String(err);
    }
    this.loading = false;
  }

  /** Loads the next rows; false when there are none or they did not come. */
  more(limit = PAGE): Promise<boolean> {
    return (this.#more ??= this.#loadMore(limit).finally(() => (this.#more = null)));
  }

  async #loadMore(limit: number): Promise<boolean> {
    if (!this.#cursor) return false;
    const { signal } = this.#abort;
    try {
      const page = await ticketApi.list({ ...this.#query(), limit, cursor: this.#cursor }, signal);
      if (signal.aborted) return false;
      this.#take(page.items);
      this.numbers = [...new Set([...this.numbers, ...page.items.map((row) => row.number)])];
      this.#cursor = page.next_cursor;
      return true;
    } catch {
      return false; // Scrolling on asks again.
    }
  }

  /** Selects what the view holds, rows not yet loaded too, up to SELECT_MAX. */
  async selectAll() {
    const { signal } = this.#abort;
    this.selecting = true;
    while (this.#cursor && this.numbers.length < SELECT_MAX) if (!(await this.more(BIG_PAGE))) break;
    this.selecting = false;
    if (!signal.aborted) for (const n of this.numbers.slice(0, SELECT_MAX)) this.selected.add(n);
  }

  /** Nothing is left to select, or nothing more fits one action. */
  get allSelected(): boolean {
    const { size } = this.selected;
    return size >= SELECT_MAX || (!this.#cursor && size >= this.numbers.length);
  }

  /** Many hints in a row cost one request. */
  refreshSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS);
  }

  /** Takes news over without moving a row; what is new to the list goes behind the pill. */
  async refresh() {
    if (this.loading) return this.refreshSoon();
    const { signal } = this.#abort;
    const page = await ticketApi.list(this.#query(), signal).catch(() => null);
    if (!page || signal.aborted) return;
    this.problem = null;
    this.#take(page.items);
    const first = page.items.map((row) => row.number);
    if (this.numbers.length === 0) {
      this.numbers = first;
      this.#cursor = page.next_cursor;
      return;
    }
    const shown = new Set(this.numbers);
    this.fresh = first.filter((n) => !shown.has(n) && !this.#leaving.has(n));
    // The whole list fits a page: what is missing from it has left the view.
    if (!page.next_cursor) this.numbers = this.numbers.filter((n) => first.includes(n) || this.#stays(n));
  }

  /** Shows what waits behind the pill. */
  async showFresh() {
    await this.reload();
  }

  /** Takes rows out that no longer belong here; returns what puts them back where they were. */
  drop(n: number): () => void {
    const before = this.numbers;
    const row = records.get(n);
    if (!row || belongs(row, this.key.view, this.key.tab, this.me()) || this.key.q) return () => {};
    this.numbers = before.filter((other) => other !== n);
    this.selected.delete(n);
    this.#leaving.add(n);
    if (before.includes(n)) this.#places.set(n, before);
    setTimeout(() => this.#leaving.delete(n), 5000);
    return () => this.back(n);
  }

  /** Puts a row taken out by drop back where it stood; rows that came since keep their places. */
  back(n: number) {
    const before = this.#places.get(n);
    this.#leaving.delete(n);
    this.#places.delete(n);
    if (!before || this.numbers.includes(n)) return;
    const above = before.slice(0, before.indexOf(n)).findLast((x) => this.numbers.includes(x));
    const at = above === undefined ? 0 : this.numbers.indexOf(above) + 1;
    this.numbers = this.numbers.toSpliced(at, 0, n);
  }

  /** The neighbour to show after n has gone, or after j and k. */
  neighbour(n: number | null, step: 1 | -1): number | undefined {
    const at = n === null ? -1 : this.numbers.indexOf(n);
    if (at < 0) return step === 1 || n === null ? this.numbers[0] : undefined;
    return this.numbers[at + step];
  }

  toggle(n: number, range = false) {
    const from = this.#anchor === null ? -1 : this.numbers.indexOf(this.#anchor);
    const to = this.numbers.indexOf(n);
    if (range && from >= 0) {
      for (const one of this.numbers.slice(Math.min(from, to), Math.max(from, to) + 1)) this.selected.add(one);
    } else if (this.selected.has(n)) this.selected.delete(n);
    else this.selected.add(n);
    this.#anchor = n;
  }

  /** A row open in the conversation pane stays until someone moves on. */
  #stays(n: number): boolean {
    const row = records.get(n);
    return row !== undefined && belongs(row, this.key.view, this.key.tab, this.me()) && this.key.q === '';
  }

  #take(rows: TicketRow[]) {
    for (const row of rows) records.put(row);
  }

  #query(): ListQuery {
    const { view, tab, sort, q } = this.key;
    const base = q ? { view: 'all' } : viewQuery(view, tab);
    return { ...base, q, sort, limit: PAGE };
  }
}
