import { ApiError, pb, post } from '$core/api';
import { locale } from '$core/i18n.svelte';

export interface StoredFile {
  id: string;
  name: string;
  size: number;
  content_type: string;
  url?: string;
}

const RENEW_MS = 60_000;
let current: { token: string; until: number } | null = null;
let asking: Promise<string> | null = null;

/** A short token for what the browser itself loads: frames, images, downloads. */
export function fileToken(): Promise<string> {
  if (current && current.until - Date.now() > RENEW_MS) return Promise.resolve(current.token);
  asking ??= post<{ token: string; expires: string }>('/api/desk/files/token')
    .then((answer) => {
      const until = Date.parse(answer.expires) || Date.now() + 2 * RENEW_MS;
      current = { token: answer.token, until };
      return answer.token;
    })
    .finally(() => (asking = null));
  return asking;
}

/** Name and size of a stored file that is known by id only. */
export async function fileInfo(id: string): Promise<StoredFile> {
  const file: StoredFile = { id, name: '', size: NaN, content_type: '' };
  const answer = await fetch(`/api/desk/files/${id}`, { method: 'HEAD', headers: auth() }).catch(() => null);
  if (!answer?.ok) return file;
  const disposition = answer.headers.get('Content-Disposition') ?? '';
  const name =
    /filename\*=(?:UTF-8|utf-8)''([^;]+)/.exec(disposition)?.[1] ?? /filename="?([^";]+)"?/.exec(disposition)?.[1];
  file.name = name ? decodeURIComponent(name) : '';
  file.size = Number(answer.headers.get('Content-Length') ?? NaN);
  file.content_type = answer.headers.get('Content-Type') ?? '';
  return file;
}

const auth = () => ({ Authorization: `Bearer ${pb.authStore.token}` });

export async function fileUrl(id: string, download = false): Promise<string> {
  const query = new URLSearchParams({ token: await fileToken() });
  if (download) query.set('download', '1');
  return `/api/desk/files/${id}?${query}`;
}

export async function bodyUrl(message: string, images: boolean): Promise<string> {
  const query = new URLSearchParams({ token: await fileToken() });
  if (images) query.set('images', '1');
  return `/api/desk/messages/${message}/body?${query}`;
}

export async function download(url: string, name: string) {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

/** Fetches the original mail with the sign-in header and saves it. */
export async function downloadRaw(message: string, name: string) {
  const answer = await fetch(`/api/desk/messages/${message}/raw`, {
    headers: auth(),
  });
  if (!answer.ok) throw new ApiError(answer.status, answer.statusText);
  const url = URL.createObjectURL(await answer.blob());
  await download(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Sends one file and reports how far it is, 0 to 1. */
export function upload(file: File, progress: (done: number) => void, signal: AbortSignal): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/desk/files');
    request.setRequestHeader('Authorization', `Bearer ${pb.authStore.token}`);
    request.setRequestHeader('Accept-Language', locale.tag);
    request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    request.onerror = () => reject(new ApiError(0, ''));
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status < 300) resolve(answer as unknown as StoredFile);
      else reject(new ApiError(request.status, String(answer.message ?? request.statusText)));
    };
    signal.addEventListener('abort', () => request.abort());
    const form = new FormData();
    form.append('file', file);
    request.send(form);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
