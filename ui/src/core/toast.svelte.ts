import { t } from './i18n.svelte';
import { ApiError } from './api';

export interface Toast {
  id: number;
  text: string;
  kind: 'info' | 'danger';
  /** ms it stays; 0 stays until dismissed. */
  life: number;
  started: number;
  action?: { label: string; run: () => void };
  /** Set when the action takes something back: Z does it too, and a ring counts down. */
  undo: boolean;
}

const INFO_MS = 4000;
const ERROR_MS = 10_000;

/** The queue of short messages at the bottom of the screen. */
class Toasts {
  items = $state.raw<Toast[]>([]);
  #next = 1;

  info(text: string) {
    this.#add({ text, kind: 'info', life: INFO_MS, undo: false });
  }

  /** Says what went wrong, and offers to try again when retry is given. */
  error(err: unknown, retry?: () => void) {
    const text = err instanceof ApiError && !err.offline ? err.message : t('error.offline');
    this.#add({
      text,
      kind: 'danger',
      life: ERROR_MS,
      undo: false,
      action: retry && { label: t('action.retry'), run: retry },
    });
  }

  /** Offers to take something back for life ms. Returns what removes the offer. */
  undoable(text: string, undo: () => void, life = 8000): () => void {
    const id = this.#add({ text, kind: 'info', life, undo: true, action: { label: t('action.undo'), run: undo } });
    return () => this.dismiss(id);
  }

  act(toast: Toast) {
    this.dismiss(toast.id);
    toast.action?.run();
  }

  /** Takes back the newest thing that can be; false when there is none. */
  undoLast(): boolean {
    const last = this.items.findLast((toast) => toast.undo);
    if (last) this.act(last);
    return last !== undefined;
  }

  dismiss(id: number) {
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id' | 'started'>): number {
    const id = this.#next++;
    this.items = [...this.items.slice(-3), { ...toast, id, started: Date.now() }];
    if (toast.life > 0) setTimeout(() => this.dismiss(id), toast.life);
    return id;
  }
}
export const toasts = new Toasts();
