import { emit } from '$core/bus';
import { t } from '$core/i18n.svelte';
import { optimistic } from '$core/optimistic';
import { toasts } from '$core/toast.svelte';
import { people } from '../session/people.svelte';
import { inbox } from '../inbox/inbox.svelte';
import { records } from './records.svelte';
import { ticketApi } from './ticket.api';
import { isSolved, type Status, type Ticket, type TicketChange, type TicketRow } from './ticket.types';

/** Changes a ticket on screen at once, asks the server, and puts it back if that refuses. */
async function apply(n: number, local: Partial<TicketRow>, request: () => Promise<Ticket>): Promise<boolean> {
  const answer = await optimistic(() => {
    const restore = records.patch(n, local);
    const comeBack = inbox.list.drop(n);
    emit('ticket.patched', { number: n });
    return () => {
      restore();
      comeBack();
      emit('ticket.patched', { number: n });
    };
  }, request);
  if (answer) records.put(answer);
  return answer !== undefined;
}

/** What a change looks like before the server has answered. */
function preview(change: TicketChange): Partial<TicketRow> {
  const { assignee, team, ...plain } = change;
  const local: Partial<TicketRow> = { ...plain };
  if (assignee !== undefined) local.assignee = people.agents.find((a) => a.id === assignee) ?? null;
  if (team !== undefined) local.team = people.teams.find((one) => one.id === team) ?? null;
  return local;
}

export const change = (n: number, what: TicketChange) => apply(n, preview(what), () => ticketApi.change(n, what));

/** Solves, goes on to the next conversation and offers to take it back. */
export async function solve(n: number) {
  const before = records.get(n)?.status;
  if (!before || isSolved(before)) return;
  inbox.advance(n);
  const undo = toasts.undoable(t('solve.done', { number: n }), () => void unsolve(n, before));
  if (!(await apply(n, { status: 'solved' }, () => ticketApi.solve(n)))) undo();
}

async function unsolve(n: number, status: Status) {
  inbox.list.back(n);
  await reopen(n);
  if (status !== 'open' && status !== 'new') await change(n, { status });
  inbox.list.refreshSoon();
}

export async function reopen(n: number) {
  await apply(n, { status: 'open' }, () => ticketApi.reopen(n));
}

export async function setStatus(n: number, status: Status) {
  const before = records.get(n)?.status;
  if (status === 'solved') return solve(n);
  if (before && isSolved(before) && status === 'open') return reopen(n);
  await change(n, { status });
}

export async function markUnread(n: number) {
  await optimistic(
    () => records.patch(n, { unread: true }),
    () => ticketApi.markRead(n, true),
  );
}

export async function markRead(n: number) {
  if (!records.get(n)?.unread) return;
  const restore = records.patch(n, { unread: false });
  await ticketApi.markRead(n).catch(restore);
}

/** Solves all of these and offers to take it back together. */
export async function solveAll(numbers: number[]) {
  const before = new Map(numbers.map((n) => [n, records.get(n)?.status ?? 'open']));
  const todo = numbers.filter((n) => !isSolved(before.get(n)!));
  toasts.undoable(t('solve.many', { n: todo.length }), () => todo.forEach((n) => void unsolve(n, before.get(n)!)));
  await each(todo, (n) => apply(n, { status: 'solved' }, () => ticketApi.solve(n)));
}

export async function changeAll(numbers: number[], what: TicketChange, done: string) {
  const before = new Map(numbers.map((n) => [n, records.get(n)]));
  toasts.undoable(done, () => {
    for (const [n, row] of before) {
      if (!row) continue;
      const back: TicketChange = {};
      if (what.assignee !== undefined) back.assignee = row.assignee?.id ?? null;
      if (what.status !== undefined) back.status = row.status;
      if (what.priority !== undefined) back.priority = row.priority;
      inbox.list.back(n);
      void change(n, back).then(() => inbox.list.refreshSoon());
    }
  });
  await each(numbers, (n) => change(n, what));
}

/** Four at a time: kind to a small server. */
async function each(numbers: number[], run: (n: number) => Promise<unknown>) {
  const queue = [...numbers];
  const worker = async () => {
    for (let n = queue.shift(); n !== undefined; n = queue.shift()) await run(n);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
