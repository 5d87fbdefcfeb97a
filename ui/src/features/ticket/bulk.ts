import { ApiError } from '$core/errors';
import { t } from '$core/i18n.svelte';
import { toasts } from '$core/toast.svelte';
import { inbox } from '../inbox/inbox.svelte';
import { preview, show } from './actions';
import { records } from './records.svelte';
import { ticketApi } from './ticket.api';
import { isSolved, type TicketChange } from './ticket.types';

/** How many tickets one request may change. */
const MOST = 200;

/** Solves all of these and offers to take it back together. */
export async function solveAll(numbers: number[]) {
  const todo = numbers.filter((n) => !isSolved(records.get(n)?.status ?? 'open'));
  await changeMany(todo, { status: 'solved' }, t('solve.many', { n: todo.length }));
}

export async function assignAll(numbers: number[], assignee: string | null) {
  await changeMany(numbers, { assignee }, t('bulk.assigned', { n: numbers.length }));
}

async function changeMany(numbers: number[], what: TicketChange, done: string) {
  const before = new Map(numbers.map((n) => [n, opposite(n, what)]));
  const dismiss = toasts.undoable(done, () => void takeBack(before));
  const left = await send(numbers, what);
  for (const n of left) before.delete(n);
  if (before.size === 0) dismiss();
}

/** What makes a ticket again what it is now. */
function opposite(n: number, what: TicketChange): TicketChange {
  const row = records.get(n);
  const back: TicketChange = {};
  // New is only what nobody has touched.
  if (what.status) back.status = row?.status && row.status !== 'new' ? row.status : 'open';
  if (what.assignee !== undefined) back.assignee = row?.assignee?.id ?? null;
  return back;
}

async function takeBack(before: Map<number, TicketChange>) {
  const groups = new Map<string, { change: TicketChange; numbers: number[] }>();
  for (const [n, change] of before) {
    inbox.list.back(n);
    const key = JSON.stringify(change);
    const group = groups.get(key) ?? { change, numbers: [] };
    group.numbers.push(n);
    groups.set(key, group);
  }
  for (const { change, numbers } of groups.values()) await send(numbers, change);
  inbox.list.refreshSoon();
}

/** Changes them on screen at once, asks in as few requests as the server takes, and puts back and returns what was refused. */
async function send(numbers: number[], what: TicketChange): Promise<number[]> {
  const restore = new Map(numbers.map((n) => [n, show(n, preview(what))]));
  const refused = new Map<number, string>();
  for (let i = 0; i < numbers.length; i += MOST) {
    const some = numbers.slice(i, i + MOST);
    try {
      for (const { number, ticket, error } of (await ticketApi.changeMany(some, what)).items) {
        if (ticket) records.put(ticket);
        else refused.set(number, error?.message ?? '');
      }
    } catch (err) {
      const why = err instanceof ApiError && !err.offline ? err.message : t('error.offline');
      for (const n of some) refused.set(n, why);
    }
  }
  for (const n of refused.keys()) restore.get(n)?.();
  const [why] = refused.values();
  if (why !== undefined) toasts.error(new ApiError(1, t('bulk.refused', { n: refused.size, why })));
  return [...refused.keys()];
}
