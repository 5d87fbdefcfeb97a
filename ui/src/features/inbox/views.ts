import { t } from '$core/i18n.svelte';
import type { ListQuery } from '../ticket/ticket.api';
import { isOpen, isSolved, isWaiting, type Ref, type TicketRow } from '../ticket/ticket.types';

export type TabId = 'open' | 'waiting' | 'solved';
export const SORTS = ['-updated', 'updated', '-created', 'created', 'priority'] as const;
export type Sort = (typeof SORTS)[number];

const TAB_STATUS: Record<TabId, string> = { open: 'new,open', waiting: 'pending,on_hold', solved: 'solved,closed' };
const TEAM = 'team-';

/** The view `waiting` is a tab of its own. */
export const hasTabs = (view: string) => view !== 'waiting';

export function tabOf(view: string, wanted: string | undefined): TabId {
  if (!hasTabs(view)) return 'waiting';
  return wanted === 'waiting' || wanted === 'solved' ? wanted : 'open';
}

/** What to ask the server for a view and its tab. */
export function viewQuery(view: string, tab: TabId): ListQuery {
  const status = TAB_STATUS[tab];
  if (view === 'mine') return { view: 'inbox', status };
  if (view === 'unassigned') return { view: 'unassigned', status };
  if (view.startsWith(TEAM)) return { view: 'all', team: view.slice(TEAM.length), status };
  return { view: 'all', status };
}

/** Whether a ticket, as it is now, still belongs to what the list shows. */
export function belongs(row: TicketRow, view: string, tab: TabId, me: string): boolean {
  if (tab === 'open' ? !isOpen(row.status) : tab === 'waiting' ? !isWaiting(row.status) : !isSolved(row.status))
    return false;
  if (view === 'mine') return row.assignee?.id === me;
  if (view === 'unassigned') return row.assignee === null;
  if (view.startsWith(TEAM)) return row.team?.id === view.slice(TEAM.length);
  return true;
}

/** Alone at the desk, one's inbox is every conversation: there is nobody else to take it. */
export const listView = (view: string, solo: boolean) => (solo && view === 'mine' ? 'all' : view);

export function viewTitle(view: string, { teams, desk }: { teams: Ref[]; desk: { solo: boolean } }): string {
  if (view.startsWith(TEAM)) return teams.find((team) => team.id === view.slice(TEAM.length))?.name ?? t('nav.teams');
  if (view === 'unassigned') return t('nav.unassigned');
  if (view === 'waiting') return t('nav.waiting');
  if (view === 'all') return t('nav.all');
  return desk.solo ? t('nav.inbox') : t('inbox.mine');
}
