import { emit } from '$core/bus';
import { t } from '$core/i18n.svelte';
import { optimistic } from '$core/optimistic';
import { toasts } from '$core/toast.svelte';
import { people } from '../session/people.svelte';
import { inbox } from '../inbox/inbox.svelte';
import { records } from './records.svelte';
import { ticketApi } from './ticket.api';
import { isSolved, type Status, type Ticket, type TicketChange, type TicketRow } from './ticket.types';

/** Changes a ticket on screen; returns what puts it back. */
export function show(n: number, local: Partial<TicketRow>): () => void {
  const restore = records.patch(n, local);
  const comeBack = inbox.list.drop(n);
  emit('ticket.patched', { number: n });
  return () => {
    restore();
    comeBack();
    emit('ticket.patched', { number: n });
  };
}

/** Changes a ticket on screen at once, asks the server, and puts it back if that refuses. */
async function apply(n: number, local: Partial<TicketRow>, request: () => Promise<Ticket>): Promise<boolean> {
  const answer = await optimistic(() => show(n, local), request);
  if (answer) records.put(answer);
  return answer !== undefined;
}

/** What a change looks like before the server has answered. */
export function preview(change: TicketChange): Partial<TicketRow> {
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
