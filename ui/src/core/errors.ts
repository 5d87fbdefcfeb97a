import { ApiError } from './api';
import { t } from './i18n.svelte';

export { ApiError };

/** One sentence about what went wrong, fit to show. */
export function sentence(err: unknown): string {
  return err instanceof ApiError && !err.offline ? err.message : t('error.offline');
}

/** The sentence about one field of the form that was sent. */
export function fieldError(err: unknown, name: string): string | undefined {
  return err instanceof ApiError ? err.field(name) : undefined;
}
