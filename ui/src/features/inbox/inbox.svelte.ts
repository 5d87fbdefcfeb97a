import { tick } from 'svelte';
import { focusPage, href, router } from '$core/router.svelte';
import { read, write } from '$core/storage';
import { session } from '../session/session.svelte';
import { TicketList } from './list.svelte';

export type PickerId = 'assign' | 'tag' | 'priority' | 'team' | 'status' | 'type' | null;

/** Where the agent stands in the inbox: the list, the open conversation, the panel. */
class Inbox {
  list = new TicketList(() => session.id);
  /** The side panel, remembered in this browser. */
  panel = $state(read('panel') !== 'off');
  /** The search box is open, with or without words in it. */
  searching = $state(false);
  /** Which property is being picked; a key or a click opens it. */
  picker = $state<PickerId>(null);

  get view(): string {
    return router.current.params.view ?? 'mine';
  }

  get number(): number | null {
    const n = Number(router.current.params.number);
    return Number.isInteger(n) && n > 0 ? n : null;
  }

  /** The path of this list with another conversation, tab, sort or search. */
  path(change: { number?: number | null; tab?: string; sort?: string; q?: string } = {}): string {
    const { query, params } = router.current;
    const number = change.number === undefined ? params.number : (change.number ?? undefined);
    return href(
      'inbox',
      { view: this.view, number },
      {
        tab: change.tab ?? query.tab,
        sort: change.sort ?? query.sort,
        q: change.q ?? query.q,
      },
    );
  }

  show(number: number | null, replace = false) {
    router.go(this.path({ number }), { replace });
  }

  /** Opens the search, from wherever one is. */
  search() {
    this.searching = true;
    if (router.current.name !== 'inbox' || this.number !== null) router.go(href('inbox', { view: 'all' }));
  }

  /** The conversation a key is about: the row with the focus, else the open one. */
  get target(): number | null {
    const row = document.activeElement?.closest<HTMLElement>('[data-number]');
    return row ? Number(row.dataset.number) : this.number;
  }

  /** The focus goes on to the next row, when the row that has it is about to leave. */
  passFocus() {
    const n = document.activeElement?.closest<HTMLElement>('[data-number]') ? this.target : null;
    const next = n === null ? undefined : (this.list.neighbour(n, 1) ?? this.list.neighbour(n, -1));
    if (next !== undefined)
      void tick().then(() => document.querySelector<HTMLElement>(`[data-number="${next}"] a`)?.focus());
  }

  move(step: 1 | -1) {
    const next = this.list.neighbour(this.number, step);
    if (next === undefined) return;
    this.show(next, this.number !== null);
    focusPage();
  }

  /** Goes on to the next conversation when n, open now, is about to leave the list. */
  advance(n: number) {
    if (this.number !== n || router.current.name !== 'inbox' || !this.list.numbers.includes(n)) return;
    const next = this.list.neighbour(n, 1) ?? this.list.neighbour(n, -1);
    this.show(next ?? null, true);
  }

  togglePanel() {
    this.panel = !this.panel;
    write('panel', this.panel ? null : 'off');
  }
}
export const inbox = new Inbox();
