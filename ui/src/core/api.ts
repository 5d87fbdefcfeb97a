import PocketBase, { ClientResponseError } from 'pocketbase';
import { emit } from './bus';
import { locale } from './i18n.svelte';

/** The one client: sign-in, transport and the realtime connection. */
export const pb = new PocketBase(window.location.origin);
pb.autoCancellation(false);

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** What the server said in one public sentence. status 0 means it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly data: Record<string, unknown> = {},
  ) {
    super(message);
  }

  get offline(): boolean {
    return this.status === 0;
  }

  /** The sentence about one field of a form, or undefined. */
  field(name: string): string | undefined {
    const entry = this.data[name] as { message?: string } | undefined;
    return entry?.message;
  }
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const query = Object.fromEntries(Object.entries(options.query ?? {}).filter(([, v]) => v != null && v !== ''));
  pb.lang = locale.tag; // what goes out as Accept-Language
  try {
    return await pb.send<T>(path, {
      method,
      query,
      body: options.body as Record<string, unknown> | undefined,
      headers: options.headers,
      signal: options.signal,
      requestKey: null,
    });
  } catch (err) {
    throw toApiError(err);
  }
}

export const get = <T>(path: string, query?: CallOptions['query'], signal?: AbortSignal) =>
  call<T>('GET', path, { query, signal });
export const post = <T>(path: string, body: unknown = {}, options: CallOptions = {}) =>
  call<T>('POST', path, { ...options, body });
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, { body });
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, { body });
export const del = <T = void>(path: string) => call<T>('DELETE', path);

function toApiError(err: unknown): ApiError {
  if (!(err instanceof ClientResponseError)) return new ApiError(0, String(err));
  const body = (err.response ?? {}) as { message?: string; data?: Record<string, unknown> };
  if (err.status === 0 && !err.isAbort) emit('line.failed');
  if (err.status === 401 && pb.authStore.token) emit('session.lost');
  return new ApiError(err.status, body.message || err.message, body.data ?? {});
}
