import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Page } from '../src/core/api';
import { TicketList } from '../src/features/inbox/list.svelte';
import { belongs, tabOf, viewQuery } from '../src/features/inbox/views';
import { records } from '../src/features/ticket/records.svelte';
import { ticketApi } from '../src/features/ticket/ticket.api';
import type { TicketRow } from '../src/features/ticket/ticket.types';

const me = { id: 'a1', name: 'Ines' };
const row = (number: number, change: Partial<TicketRow> = {}) =>
  ({ number, subject: `#${number}`, status: 'open', assignee: me, team: null, tags: [], ...change }) as TicketRow;
const page = (numbers: number[], next: string | null = null): Page<TicketRow> => ({
  items: numbers.map((n) => row(n)),
  next_cursor: next,
});

let list: TicketList;
const answer = vi.spyOn(ticketApi, 'list');
beforeEach(async () => {
  answer.mockReset().mockResolvedValue(page([5, 4, 3]));
  list = new TicketList(() => 'a1');
  await list.open({ view: 'mine', tab: 'open', sort: '-updated', q: '' });
});

describe('news', () => {
  it('waits behind the pill, so that no row moves under the cursor', async () => {
    answer.mockResolvedValue(page([7, 6, 5, 4, 3]));
    await list.refresh();
    expect(list.numbers).toEqual([5, 4, 3]);
    expect(list.fresh).toEqual([7, 6]);
    await list.showFresh();
    expect(list.numbers).toEqual([7, 6, 5, 4, 3]);
    expect(list.fresh).toEqual([]);
  });

  it('changes a row where it stands', async () => {
    answer.mockResolvedValue({ items: [row(3, { unread: true }), row(5), row(4)], next_cursor: null });
    await list.refresh();
    expect(list.numbers).toEqual([5, 4, 3]);
    expect(records.get(3)!.unread).toBe(true);
  });

  it('of the time before the list was shown again is there at once', async () => {
    answer.mockResolvedValue(page([6, 5, 4, 3]));
    const stop = list.start();
    await vi.waitFor(() => expect(list.numbers).toEqual([6, 5, 4, 3]));
    stop();
  });

  it('that comes while the list loads is asked for once more', async () => {
    vi.useFakeTimers();
    list.loading = true;
    await list.refresh();
    list.loading = false;
    answer.mockClear();
    await vi.advanceTimersByTimeAsync(1000);
    expect(answer).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  it('goes straight into an empty list', async () => {
    list.numbers = [];
    answer.mockResolvedValue(page([9]));
    await list.refresh();
    expect(list.numbers).toEqual([9]);
  });
});

it('loads page after page without doubles', async () => {
  answer.mockResolvedValue(page([5, 4, 3], 'c1'));
  await list.reload();
  answer.mockResolvedValue(page([3, 2, 1]));
  await list.more();
  expect(answer.mock.lastCall![0]).toMatchObject({ cursor: 'c1', view: 'inbox', status: 'new,open' });
  expect(list.numbers).toEqual([5, 4, 3, 2, 1]);
  expect(await list.more()).toBe(false);
});

it('selects the whole view, not only the rows that were loaded', async () => {
  answer.mockResolvedValue(page([5, 4], 'c1'));
  await list.reload();
  list.toggle(5);
  expect(list.allSelected).toBe(false);
  answer.mockResolvedValueOnce(page([3, 2], 'c2')).mockResolvedValueOnce(page([1]));
  await list.selectAll();
  expect([...list.selected].sort()).toEqual([1, 2, 3, 4, 5]);
  expect(list.allSelected).toBe(true);
});

describe('leaving the view', () => {
  it('takes a solved row out and can put it back in its place', () => {
    records.patch(4, { status: 'solved' });
    const back = list.drop(4);
    expect(list.numbers).toEqual([5, 3]);
    records.patch(4, { status: 'open' });
    back();
    expect(list.numbers).toEqual([5, 4, 3]);
  });

  it('puts back what is undone at once, below what stood above it', () => {
    records.patch(5, { status: 'solved' });
    records.patch(4, { status: 'solved' });
    list.drop(5);
    list.drop(4);
    list.back(4);
    expect(list.numbers).toEqual([4, 3]);
    list.back(5);
    list.back(5);
    expect(list.numbers).toEqual([5, 4, 3]);
  });

  it('keeps a row that still belongs', () => {
    records.patch(4, { priority: 'high' });
    list.drop(4);
    expect(list.numbers).toEqual([5, 4, 3]);
  });

  it('does not call a row it just took out new', async () => {
    records.patch(4, { status: 'solved' });
    list.drop(4);
    await list.refresh();
    expect(list.fresh).toEqual([]);
  });
});

describe('going back', () => {
  const solved = { view: 'mine', tab: 'solved', sort: '-updated', q: '' } as const;
  const open = { ...solved, tab: 'open' } as const;

  it('finds the list as it was left: its rows, how far it was scrolled, and what changed since', async () => {
    list.offset = 340;
    answer.mockResolvedValue(page([]));
    await list.open(solved);
    expect([list.numbers, list.offset]).toEqual([[], 0]);
    records.patch(4, { status: 'solved' });
    answer.mockResolvedValue(page([6, 5, 3]));
    const coming = list.open(open, true);
    expect([list.numbers, list.offset, list.loading]).toEqual([[5, 3], 340, false]);
    await coming;
    expect(list.fresh).toEqual([6]);
  });

  it('is not what a link does: that starts at the top', async () => {
    list.offset = 340;
    await list.open(solved);
    answer.mockResolvedValue(page([6, 5]));
    await list.open(open);
    expect([list.numbers, list.offset]).toEqual([[6, 5], 0]);
  });
});

it('finds the neighbour for j, k and auto-advance', () => {
  expect(list.neighbour(null, 1)).toBe(5);
  expect(list.neighbour(5, 1)).toBe(4);
  expect(list.neighbour(5, -1)).toBeUndefined();
  expect(list.neighbour(3, 1)).toBeUndefined();
});

it('selects a range', () => {
  list.toggle(5);
  list.toggle(3, true);
  expect([...list.selected]).toEqual([5, 4, 3]);
  list.toggle(4);
  expect([...list.selected]).toEqual([5, 3]);
});

describe('views', () => {
  it('asks the server for what a view shows', () => {
    expect(viewQuery('mine', 'open')).toEqual({ view: 'inbox', status: 'new,open' });
    expect(viewQuery('team-t1', 'solved')).toEqual({ view: 'all', team: 't1', status: 'solved,closed' });
    expect(viewQuery('waiting', tabOf('waiting', undefined))).toEqual({ view: 'all', status: 'pending,on_hold' });
  });

  it.each([
    ['mine', 'open', {}, true],
    ['mine', 'open', { assignee: null }, false],
    ['unassigned', 'open', { assignee: null }, true],
    ['all', 'waiting', { status: 'pending' }, true],
    ['team-t1', 'open', { team: { id: 't2', name: 'Orders' } }, false],
  ] as const)('%s/%s with %o: %s', (view, tab, change, yes) => {
    expect(belongs(row(1, change as Partial<TicketRow>), view, tab, 'a1')).toBe(yes);
  });
});
