import { flushSync, tick } from 'svelte';
import { expect, it, vi } from 'vitest';
import { TicketList } from '../src/features/inbox/list.svelte';
import { ticketApi } from '../src/features/ticket/ticket.api';

it('the list asks once when it is shown, not for ever', async () => {
  const answer = vi.spyOn(ticketApi, 'list');
  answer.mockImplementation(() =>
    answer.mock.calls.length > 5 ? new Promise(() => {}) : Promise.resolve({ items: [], next_cursor: null }),
  );
  const list = new TicketList(() => 'a1');
  await list.open({ view: 'mine', tab: 'open', sort: '-updated', q: '' });
  answer.mockClear();
  const stop = $effect.root(() => {
    $effect(() => list.start());
  });
  for (let i = 0; i < 5; i++) {
    flushSync();
    await tick();
    await Promise.resolve();
  }
  expect(answer).toHaveBeenCalledOnce();
  stop();
});
