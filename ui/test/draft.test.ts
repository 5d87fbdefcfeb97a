import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/core/errors';
import type { Draft } from '../src/features/composer/composer.api';
import { DraftKeeper, type DraftBody, type DraftPlaces } from '../src/features/composer/draft.svelte';

const body = (text: string): DraftBody => ({
  kind: 'reply',
  body: `<p>${text}</p>`,
  to: ['maren@example.net'],
  cc: [],
  bcc: [],
  attachments: [],
  seen_message_id: 'm1',
});
const at = (text: string, updated: string): Draft => ({ ...body(text), updated });

let here: Draft | undefined;
let there: Draft | null;
let put: ReturnType<typeof vi.fn<(n: number, draft: DraftBody) => Promise<unknown>>>;
let places: DraftPlaces;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-24T10:00:00Z') });
  here = undefined;
  there = null;
  put = vi.fn((_n, draft) => Promise.resolve((there = { ...draft, updated: new Date().toISOString() })));
  places = {
    local: {
      get: async () => here,
      set: async (_n, draft) => void (here = draft),
      del: async () => void (here = undefined),
    },
    server: { get: async () => there, put, del: async () => void (there = null) },
  };
  return () => vi.useRealTimers();
});

describe('load', () => {
  it('takes the newer copy', async () => {
    here = at('older', '2026-11-24T09:00:00Z');
    there = at('newer', '2026-11-24T09:30:00Z');
    expect((await new DraftKeeper(1, places).load())?.body).toContain('newer');
  });

  it('sends a newer copy of this browser to the server', async () => {
    here = at('typed on the train', '2026-11-24T09:45:00Z');
    there = at('from before', '2026-11-24T09:30:00Z');
    const keeper = new DraftKeeper(1, places);
    expect((await keeper.load())?.body).toContain('train');
    await vi.advanceTimersByTimeAsync(2000);
    expect(there?.body).toContain('train');
    expect(keeper.saved).toBe('saved');
  });

  it('works without storage in the browser and without a server', async () => {
    places.local.get = () => Promise.reject(new Error('refused'));
    places.server.get = () => Promise.reject(new ApiError(0, ''));
    expect(await new DraftKeeper(1, places).load()).toBeNull();
  });
});

describe('change', () => {
  it('keeps a copy here within a moment and saves once for many keys', async () => {
    const keeper = new DraftKeeper(1, places);
    for (const text of ['H', 'Hi', 'Hi M']) {
      keeper.change(body(text));
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect(here?.body).toContain('Hi M');
    expect(put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1500);
    expect(put).toHaveBeenCalledOnce();
    expect(here).toBeUndefined();
    expect(keeper.saved).toBe('saved');
  });

  it('keeps the copy here and tries again while the line is down', async () => {
    put.mockRejectedValueOnce(new ApiError(0, ''));
    const keeper = new DraftKeeper(1, places);
    keeper.change(body('kept'));
    await vi.advanceTimersByTimeAsync(1500);
    expect(keeper.saved).toBe('local');
    expect(here?.body).toContain('kept');
    await vi.advanceTimersByTimeAsync(8000);
    expect(keeper.saved).toBe('saved');
    expect(there?.body).toContain('kept');
  });

  it('saves at once on leaving', async () => {
    const keeper = new DraftKeeper(1, places);
    keeper.change(body('gone in a second'));
    await keeper.flush();
    expect(there?.body).toContain('gone');
  });
});

it('leaves no copy behind once sent', async () => {
  const keeper = new DraftKeeper(1, places);
  keeper.change(body('sent'));
  await keeper.drop();
  await vi.advanceTimersByTimeAsync(5000);
  expect([here, there, put.mock.calls.length]).toEqual([undefined, null, 0]);
});
