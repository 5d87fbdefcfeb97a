import { beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../src/core/errors';
import { toasts } from '../src/core/toast.svelte';
import { assignAll, solveAll } from '../src/features/ticket/bulk';
import { records } from '../src/features/ticket/records.svelte';
import { ticketApi } from '../src/features/ticket/ticket.api';
import type { Ticket, TicketChange, TicketRow } from '../src/features/ticket/ticket.types';

const ask = vi.spyOn(ticketApi, 'changeMany');
const row = (number: number, change: Partial<TicketRow> = {}) =>
  ({ number, status: 'open', assignee: null, tags: [], ...change }) as TicketRow;
/** Says yes to all but these. */
const answer = (refused: number[] = []) =>
  ask.mockImplementation((numbers: number[], change: TicketChange) =>
    Promise.resolve({
      items: numbers.map((number) =>
        refused.includes(number)
          ? { number, ticket: null, error: { message: 'Add a tag before solving.' } }
          : { number, ticket: { number, ...change, assignee: null } as unknown as Ticket, error: null },
      ),
    }),
  );
const statuses = (numbers: number[]) => numbers.map((n) => records.get(n)!.status);

beforeEach(() => {
  toasts.items = [];
  ask.mockReset();
  answer();
});

it('asks once for up to 200, not once for each', async () => {
  const numbers = Array.from({ length: 250 }, (_, i) => i + 1);
  for (const n of numbers) records.put(row(n));
  await solveAll(numbers);
  expect(ask.mock.calls.map(([some]) => some.length)).toEqual([200, 50]);
  expect(statuses([1, 250])).toEqual(['solved', 'solved']);
});

it('leaves out what is solved already', async () => {
  records.put(row(1));
  records.put(row(2, { status: 'closed' }));
  await solveAll([1, 2]);
  expect(ask).toHaveBeenCalledExactlyOnceWith([1], { status: 'solved' });
});

it('takes back everything with one key, each to what it was', async () => {
  records.put(row(1, { status: 'new' }));
  records.put(row(2, { status: 'pending' }));
  records.put(row(3));
  await solveAll([1, 2, 3]);
  ask.mockClear();
  toasts.undoLast();
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
  expect(ask.mock.calls).toEqual([
    [[1, 3], { status: 'open' }],
    [[2], { status: 'pending' }],
  ]);
  await vi.waitFor(() => expect(statuses([1, 2, 3])).toEqual(['open', 'pending', 'open']));
});

it('says which were refused and why, and undoes only the others', async () => {
  answer([2]);
  records.put(row(1));
  records.put(row(2));
  await solveAll([1, 2]);
  expect(statuses([1, 2])).toEqual(['solved', 'open']);
  expect(toasts.items.at(-1)!.text).toBe('1 conversation was left as it is. Add a tag before solving.');
  toasts.undoLast();
  await vi.waitFor(() => expect(ask.mock.lastCall).toEqual([[1], { status: 'open' }]));
});

it('puts all back, and offers nothing to undo, when nothing went through', async () => {
  ask.mockRejectedValue(new ApiError(0, ''));
  records.put(row(1, { assignee: { id: 'a1', name: 'Ines' } }));
  await assignAll([1], null);
  expect(records.get(1)!.assignee).toMatchObject({ id: 'a1' });
  expect(toasts.items.filter((toast) => toast.undo)).toEqual([]);
});
