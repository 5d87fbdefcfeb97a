import { toasts } from './toast.svelte';

/**
 * Shows a change at once and asks the server after. apply returns what puts the
 * old state back; it runs when the server refuses, with a toast that offers Retry.
 */
export async function optimistic<T>(apply: () => () => void, request: () => Promise<T>): Promise<T | undefined> {
  const rollback = apply();
  try {
    return await request();
  } catch (err) {
    rollback();
    toasts.error(err, () => void optimistic(apply, request));
    return undefined;
  }
}
