import { expect, it, vi } from 'vitest';
import { ApiError } from '../src/core/errors';
import { Uploads } from '../src/features/composer/uploads.svelte';

const file = (name = 'pole.jpg') => new File(['x'], name, { type: 'image/jpeg' });
const stored = { id: 'f1', name: 'pole.jpg', size: 1, content_type: 'image/jpeg' };

it('reports progress and tells when the server has the file', async () => {
  const done = vi.fn();
  const uploads = new Uploads((_f, progress) => {
    progress(0.5);
    return Promise.resolve(stored);
  });
  uploads.add(file(), false, done);
  expect(uploads.items[0]!.progress).toBe(0.5);
  expect(uploads.busy).toBe(true);
  await vi.waitFor(() => expect(uploads.busy).toBe(false));
  expect(done).toHaveBeenCalledWith(stored);
  expect(uploads.files).toEqual([stored]);
});

it('keeps a failed file and sends it again on request', async () => {
  const send = vi.fn().mockRejectedValueOnce(new ApiError(413, 'Too large.')).mockResolvedValueOnce(stored);
  const uploads = new Uploads(send);
  const key = uploads.add(file());
  await vi.waitFor(() => expect(uploads.failed).toBe(true));
  expect(uploads.items[0]!.problem).toBe('Too large.');
  uploads.retry(key);
  await vi.waitFor(() => expect(uploads.files).toEqual([stored]));
  expect(send).toHaveBeenCalledTimes(2);
});

it('stops the upload of a removed file', () => {
  let signal: AbortSignal | undefined;
  const uploads = new Uploads((_f, _p, s) => ((signal = s), new Promise(() => {})));
  uploads.remove(uploads.add(file()));
  expect(signal!.aborted).toBe(true);
  expect(uploads.items).toEqual([]);
});
