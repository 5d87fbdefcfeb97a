import { sentence } from '$core/errors';
import { upload, type StoredFile } from '../file/file.api';

export interface Upload {
  key: string;
  name: string;
  size: number;
  /** 0 to 1; 1 once the server has it. */
  progress: number;
  problem: string | null;
  file: StoredFile | null;
  inline: boolean;
}

type Send = typeof upload;

/** The files of one message on their way up. A failed one keeps its file and can be sent again. */
export class Uploads {
  items = $state<Upload[]>([]);
  #sources = new Map<string, { source: File; abort: AbortController; done?: (file: StoredFile) => void }>();
  #next = 0;

  constructor(private readonly send: Send = upload) {}

  get busy(): boolean {
    return this.items.some((item) => !item.file && !item.problem);
  }

  get failed(): boolean {
    return this.items.some((item) => item.problem !== null);
  }

  /** Files the server has, that go out as attachments. */
  get files(): StoredFile[] {
    return this.items.filter((item) => item.file && !item.inline).map((item) => item.file!);
  }

  /** Starts sending a file; done is called once the server has it. Returns its key. */
  add(source: File, inline = false, done?: (file: StoredFile) => void): string {
    const key = `up${this.#next++}`;
    this.#sources.set(key, { source, abort: new AbortController(), done });
    this.items.push({
      key,
      name: source.name || 'image.png',
      size: source.size,
      progress: 0,
      problem: null,
      file: null,
      inline,
    });
    void this.#run(key);
    return key;
  }

  /** Files a draft already had. */
  restore(files: StoredFile[]) {
    this.clear();
    this.items = files.map((file) => ({
      key: `up${this.#next++}`,
      name: file.name,
      size: file.size,
      progress: 1,
      problem: null,
      file,
      inline: false,
    }));
  }

  retry(key: string) {
    const item = this.#item(key);
    if (!item) return;
    item.problem = null;
    item.progress = 0;
    void this.#run(key);
  }

  remove(key: string) {
    this.#sources.get(key)?.abort.abort();
    this.#sources.delete(key);
    this.items = this.items.filter((item) => item.key !== key);
  }

  clear() {
    for (const item of [...this.items]) this.remove(item.key);
  }

  async #run(key: string) {
    const entry = this.#sources.get(key);
    if (!entry) return;
    try {
      const file = await this.send(
        entry.source,
        (p) => this.#set(key, { progress: Math.min(p, 0.99) }),
        entry.abort.signal,
      );
      this.#set(key, { file, progress: 1 });
      entry.done?.(file);
    } catch (err) {
      this.#set(key, { problem: sentence(err) });
    }
  }

  #item(key: string) {
    return this.items.find((item) => item.key === key);
  }

  #set(key: string, change: Partial<Upload>) {
    const item = this.#item(key);
    if (item) Object.assign(item, change);
  }
}
