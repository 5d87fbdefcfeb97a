import { clock } from '$core/clock.svelte';
import { relative, sameDay, stamp, timeOfDay } from '$core/format';
import { t, word } from '$core/i18n.svelte';
import { nameOf } from '../ticket/address';
import { meaning } from '../ticket/answer';
import type { OutboxItem } from './outbox.api';

/** What the server said, or why it waits, as a sentence. The code stands below it. */
export function said(item: OutboxItem): string {
  if (item.state === 'held') return word('heldBy', item.held_by ?? 'undo');
  return meaning(item.server_answer) ?? t(`outbox.said.${item.state}`);
}

/** When something happens next, in few words. */
export function nextStep(item: OutboxItem): string {
  if (item.put_away) return stamp(item.put_away, clock.now);
  if (item.state === 'uncertain') return t('outbox.youDecide');
  if (item.state === 'sending') return t('time.now');
  if (item.state === 'sent' || item.state === 'failed' || item.state === 'cancelled')
    return stamp(item.updated, clock.now);
  if (!item.next_try) return '';
  const soon = Math.abs(Date.parse(item.next_try) - clock.now) < 3_600_000;
  if (soon) return relative(item.next_try, clock.now);
  return sameDay(item.next_try, clock.now) ? timeOfDay(item.next_try) : stamp(item.next_try, clock.now);
}

export function recipients(item: OutboxItem): string {
  const [first, ...rest] = (item.to ?? []).map(nameOf);
  return rest.length ? t('outbox.andMore', { first: first ?? '', n: rest.length }) : (first ?? '');
}

export type Group = 'attention' | 'way' | 'done';

export function groupOf(item: OutboxItem): Group {
  if (item.state === 'uncertain' || item.state === 'failed') return item.put_away ? 'done' : 'attention';
  return item.state === 'sent' || item.state === 'cancelled' ? 'done' : 'way';
}
