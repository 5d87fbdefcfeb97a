import { beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../src/core/errors';
import { optimistic } from '../src/core/optimistic';
import { toasts } from '../src/core/toast.svelte';
import { records } from '../src/features/ticket/records.svelte';
import type { TicketRow } from '../src/features/ticket/ticket.types';

const row = (change: Partial<TicketRow> = {}) =>
  ({ number: 7, status: 'open', tags: ['tents'], ...change }) as TicketRow;
beforeEach(() => {
  toasts.items = [];
  records.put(row());
});

it('shows the change before the server has answered', async () => {
  let answer!: () => void;
  const request = new Promise<void>((done) => (answer = done));
  const running = optimistic(
    () => records.patch(7, { status: 'solved' }),
    () => request,
  );
  expect(records.get(7)!.status).toBe('solved');
  answer();
  await running;
  expect(records.get(7)!.status).toBe('solved');
  expect(toasts.items).toEqual([]);
});

it('puts it back when the server refuses, says why, and Retry tries again', async () => {
  const request = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(422, 'Add a tag before solving.'))
    .mockResolvedValueOnce('done');
  await optimistic(() => records.patch(7, { status: 'solved' }), request);
  expect(records.get(7)!.status).toBe('open');
  const [toast] = toasts.items;
  expect(toast!.text).toBe('Add a tag before solving.');
  toasts.act(toast!);
  await vi.waitFor(() => expect(request).toHaveBeenCalledTimes(2));
  expect(records.get(7)!.status).toBe('solved');
});

it('rolls back only its own fields', () => {
  const restore = records.patch(7, { status: 'solved' });
  records.put({ number: 7, tags: ['tents', 'warranty'] });
  restore();
  expect(records.get(7)).toMatchObject({ status: 'open', tags: ['tents', 'warranty'] });
});

it('undoes the newest thing that can be undone with one key', () => {
  const first = vi.fn();
  const second = vi.fn();
  toasts.undoable('#1 solved', first);
  toasts.undoable('#2 solved', second);
  toasts.info('Saved');
  expect(toasts.undoLast()).toBe(true);
  expect(second).toHaveBeenCalledOnce();
  expect(first).not.toHaveBeenCalled();
});
