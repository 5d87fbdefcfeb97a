import { createStore, del, entries, set, type UseStore } from 'idb-keyval';
import { on } from '$core/bus';
import { ApiError } from '$core/errors';
import { t } from '$core/i18n.svelte';
import { toasts } from '$core/toast.svelte';
import { composerApi, type Kind, type Outgoing } from './composer.api';

interface Waiting {
  number: number;
  kind: Kind;
  message: Outgoing;
}

let store: UseStore | undefined;
const shelf = () => (store ??= createStore('deskbell-queue', 'queue'));

/** Messages written while the line was down: they go out, once each, when it is back. */
class SendQueue {
  size = $state(0);
  #busy = false;

  start(): () => void {
    const go = () => void this.flush();
    const offs = [on('live.resumed', go), on('tickets.changed', go)];
    addEventListener('online', go);
    const timer = setInterval(() => this.size > 0 && go(), 10_000);
    go();
    return () => {
      offs.forEach((off) => off());
      removeEventListener('online', go);
      clearInterval(timer);
    };
  }

  async add(key: string, waiting: Waiting) {
    await set(key, waiting, shelf());
    this.size++;
  }

  async flush() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const all = await entries<string, Waiting>(shelf());
      this.size = all.length;
      for (const [key, waiting] of all) await this.#send(key, waiting);
    } catch {
      // Still down, or no storage: the next sign of life tries again.
    }
    this.#busy = false;
  }

  async #send(key: string, { number, kind, message }: Waiting) {
    try {
      await composerApi.send(number, kind, message, key);
      toasts.info(t('queue.sent', { number }));
    } catch (err) {
      if (err instanceof ApiError && err.offline) throw err;
      // Refused, most likely because something newer arrived: it becomes a draft again.
      await composerApi.saveDraft(number, asDraft(kind, message)).catch(() => undefined);
      toasts.error(new ApiError(1, t('queue.refused', { number, why: err instanceof ApiError ? err.message : '' })));
    }
    await del(key, shelf());
    this.size--;
  }
}

const asDraft = (kind: Kind, m: Outgoing) => ({
  kind,
  body: m.body,
  to: m.to ?? [],
  cc: m.cc ?? [],
  bcc: m.bcc ?? [],
  attachments: (m.attachments ?? []).map((id) => ({ id, name: '', size: 0, content_type: '' })),
  seen_message_id: m.seen_message_id ?? null,
});

export const sendQueue = new SendQueue();
