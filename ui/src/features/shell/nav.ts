import FlaskConical from '@lucide/svelte/icons/flask-conical';
import Hourglass from '@lucide/svelte/icons/hourglass';
import Inbox from '@lucide/svelte/icons/inbox';
import Layers from '@lucide/svelte/icons/layers';
import Send from '@lucide/svelte/icons/send';
import Settings from '@lucide/svelte/icons/settings-2';
import UserX from '@lucide/svelte/icons/user-x';
import Users from '@lucide/svelte/icons/users';
import type { Component } from 'svelte';
import { t } from '$core/i18n.svelte';
import { href, type Match } from '$core/router.svelte';
import type { Counts, Me } from '../session/session.api';

export interface NavItem {
  id: string;
  label: string;
  href: string;
  icon: Component;
  n?: number;
  hot?: boolean;
}
export interface NavGroup {
  title?: string;
  items: NavItem[];
}

const SETTINGS_RIGHTS = ['setting.write', 'channel.write', 'agent.invite', 'agent.read', 'job.read', 'ledger.read'];

const inbox = (view: string) => href('inbox', { view });

/** What only matters with others at the desk. */
const shared = (counts: Counts | null): NavItem[] => [
  {
    id: 'inbox/unassigned',
    label: t('nav.unassigned'),
    href: inbox('unassigned'),
    icon: UserX,
    n: counts?.unassigned,
    hot: true,
  },
  { id: 'inbox/all', label: t('nav.all'), href: inbox('all'), icon: Layers, n: counts?.all },
];

/** What this agent's navigation holds; the server enforces rights, this only hides. */
export function navigation(me: Me, counts: Counts | null): NavGroup[] {
  const may = (right: string) => me.permissions.includes(right);
  const { solo } = me.desk;
  const main: NavItem[] = [];
  if (may('ticket.read')) {
    const n = solo ? counts?.all : counts?.inbox;
    main.push({ id: 'inbox/mine', label: t('nav.inbox'), href: inbox('mine'), icon: Inbox, n });
    if (!solo) main.push(...shared(counts));
    main.push({
      id: 'inbox/waiting',
      label: t('nav.waiting'),
      href: inbox('waiting'),
      icon: Hourglass,
      n: counts?.waiting,
    });
  }
  if (may('outbox.read')) {
    main.push({
      id: 'outbox',
      label: t('nav.sent'),
      href: href('outbox'),
      icon: Send,
      n: counts?.outbox_attention || undefined,
      hot: true,
    });
  }
  const groups: NavGroup[] = main.length ? [{ items: main }] : [];
  if (may('ticket.read') && !solo && me.teams.length) {
    const items = me.teams.map((team) => ({
      id: `inbox/team-${team.id}`,
      label: team.name,
      href: inbox(`team-${team.id}`),
      icon: Users,
      n: counts?.teams?.[team.id],
    }));
    groups.push({ title: t('nav.teams'), items });
  }
  const desk: NavItem[] = [];
  if (me.desk.sandbox) desk.push({ id: 'sandbox', label: t('nav.sandbox'), href: href('sandbox'), icon: FlaskConical });
  if (SETTINGS_RIGHTS.some(may)) {
    desk.push({
      id: 'settings',
      label: t('nav.settings'),
      href: href('settings'),
      icon: Settings,
      n: counts?.quarantine || undefined,
      hot: true,
    });
  }
  if (desk.length) groups.push({ title: t('nav.desk'), items: desk });
  return groups;
}

/** Where one lands: the inbox, or the settings for those who see no tickets. */
export function landing(me: Me): string {
  return me.permissions.includes('ticket.read') ? href('inbox', { view: 'mine' }) : href('settings');
}

/** The id of the item the current route belongs to. */
export function currentItem(route: Match): string {
  return route.name === 'inbox' ? `inbox/${route.params.view}` : route.name;
}
