import { on } from '$core/bus';
import { sentence } from '$core/errors';
import { t } from '$core/i18n.svelte';
import { toasts } from '$core/toast.svelte';
import { session } from '../session/session.svelte';
import { outboxApi, type OutboxItem, type OutboxSummary } from './outbox.api';

export const OUTBOX_TABS = [
  'all',
  'attention',
  'held',
  'scheduled',
  'sending',
  'deferred',
  'failed',
  'uncertain',
  'sent',
  'put_away',
] as const;
export type OutboxTab = (typeof OUTBOX_TABS)[number];

const REFRESH_MS = 400;

/** Everything on its way to a customer. */
export class Outbox {
  items = $state.raw<OutboxItem[]>([]);
  summary = $state.raw<OutboxSummary | null>(null);
  tab = $state<OutboxTab>('all');
  loading = $state(true);
  problem = $state<string | null>(null);
  next = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    const soon = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.load(), REFRESH_MS);
    };
    const offs = [on('desk.changed', soon), on('tickets.changed', soon), on('live.resumed', soon)];
    return () => {
      clearTimeout(this.#timer);
      offs.forEach((off) => off());
    };
  }

  async open(tab: OutboxTab) {
    this.tab = tab;
    this.items = [];
    this.loading = true;
    await this.load();
  }

  async load() {
    const tab = this.tab;
    try {
      const [page, summary] = await Promise.all([outboxApi.list(tab === 'all' ? undefined : tab), outboxApi.summary()]);
      if (tab !== this.tab) return;
      this.items = page.items;
      this.next = page.next_cursor;
      this.summary = summary;
      this.problem = null;
    } catch (err) {
      this.problem = sentence(err);
    }
    this.loading = false;
  }

  async more() {
    if (!this.next) return;
    const page = await outboxApi
      .list(this.tab === 'all' ? undefined : this.tab, this.next)
      .catch((err) => toasts.error(err));
    if (!page) return;
    this.items = [...this.items, ...page.items];
    this.next = page.next_cursor;
  }

  count(tab: OutboxTab): number | undefined {
    const states = this.summary?.states;
    if (!states || tab === 'all' || tab === 'put_away') return undefined;
    if (tab === 'attention') return (states.failed ?? 0) + (states.uncertain ?? 0);
    if (tab === 'sent') return this.summary?.sent_today;
    if (tab === 'sending') return (states.sending ?? 0) + (states.queued ?? 0);
    return states[tab] ?? 0;
  }

  retry = (item: OutboxItem) => this.#do(() => outboxApi.retry(item.id), t('outbox.retried'));
  settle = (item: OutboxItem) => this.#do(() => outboxApi.settle(item.id), t('outbox.settled'));
  putAway = (item: OutboxItem) => this.#do(() => outboxApi.putAway(item.id), t('outbox.putAway'));
  undo = (item: OutboxItem) => this.#do(() => outboxApi.undo(item.id), t('delivery.undone'));

  async pause(paused: boolean) {
    await this.#do(() => outboxApi.pause(paused), t(paused ? 'outbox.paused' : 'outbox.resumed'));
  }

  async #do(run: () => Promise<unknown>, done: string) {
    try {
      await run();
      toasts.info(done);
    } catch (err) {
      toasts.error(err);
    }
    await this.load();
    session.recountSoon();
  }
}
