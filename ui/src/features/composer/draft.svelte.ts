import { createStore, del, get, set, type UseStore } from 'idb-keyval';
import { ApiError } from '$core/errors';
import { composerApi, type Draft } from './composer.api';

const LOCAL_MS = 250;
const SERVER_MS = 1200;

export type DraftBody = Omit<Draft, 'updated'>;
export type Saved = 'empty' | 'dirty' | 'saving' | 'saved' | 'local';

/** Where a draft is kept: the server for every device, this browser for when the line is down. */
export interface DraftPlaces {
  local: {
    get(n: number): Promise<Draft | undefined>;
    set(n: number, draft: Draft): Promise<void>;
    del(n: number): Promise<void>;
  };
  server: {
    get(n: number): Promise<Draft | null>;
    put(n: number, draft: DraftBody): Promise<unknown>;
    del(n: number): Promise<unknown>;
  };
}

let store: UseStore | undefined;
const shelf = () => (store ??= createStore('deskbell-drafts', 'drafts'));

const places: DraftPlaces = {
  local: {
    get: (n) => get<Draft>(n, shelf()),
    set: (n, draft) => set(n, draft, shelf()),
    del: (n) => del(n, shelf()),
  },
  server: { get: composerApi.draft, put: composerApi.saveDraft, del: composerApi.dropDraft },
};

/** Keeps the draft of one ticket, in this browser at once and on the server a second later. */
export class DraftKeeper {
  saved = $state<Saved>('empty');
  #pending: DraftBody | null = null;
  #localTimer: ReturnType<typeof setTimeout> | undefined;
  #serverTimer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    readonly number: number,
    private readonly at: DraftPlaces = places,
  ) {}

  /** The newer of both copies; null when there is none. A browser without storage has only the server's. */
  async load(): Promise<Draft | null> {
    const [local, server] = await Promise.all([
      this.at.local.get(this.number).catch(() => undefined),
      this.at.server.get(this.number).catch(() => null),
    ]);
    const newest = local && (!server || local.updated > server.updated) ? local : server;
    if (!newest) return null;
    this.saved = newest === server ? 'saved' : 'local';
    if (newest === local) this.change(local);
    return newest;
  }

  /** Takes the draft as it is now; both copies follow by themselves. */
  change(draft: DraftBody) {
    this.#pending = draft;
    this.saved = 'dirty';
    clearTimeout(this.#localTimer);
    clearTimeout(this.#serverTimer);
    this.#localTimer = setTimeout(() => void this.#keepLocal(draft), LOCAL_MS);
    this.#serverTimer = setTimeout(() => void this.flush(), SERVER_MS);
  }

  /** Saves what is pending now: on leaving, and before the tab closes. */
  async flush() {
    clearTimeout(this.#localTimer);
    clearTimeout(this.#serverTimer);
    const draft = this.#pending;
    if (!draft) return this.#running;
    this.#pending = null;
    this.#running = this.#running.then(() => this.#save(draft));
    return this.#running;
  }

  /** The draft was sent or thrown away. */
  async drop(onServer = true) {
    this.#pending = null;
    clearTimeout(this.#localTimer);
    clearTimeout(this.#serverTimer);
    this.saved = 'empty';
    await this.#running;
    await this.at.local.del(this.number).catch(() => undefined);
    if (onServer) await this.at.server.del(this.number).catch(() => undefined);
  }

  async #save(draft: DraftBody) {
    this.saved = 'saving';
    await this.#keepLocal(draft);
    try {
      await this.at.server.put(this.number, draft);
      // Nothing newer was typed meanwhile: the browser's copy has done its work.
      if (!this.#pending) {
        await this.at.local.del(this.number).catch(() => undefined);
        this.saved = 'saved';
      }
    } catch (err) {
      this.saved = 'local';
      if (err instanceof ApiError && err.offline)
        this.#serverTimer = setTimeout(() => void this.#again(draft), 5 * SERVER_MS);
    }
  }

  async #again(draft: DraftBody) {
    this.#pending ??= draft;
    await this.flush();
  }

  async #keepLocal(draft: DraftBody) {
    await this.at.local.set(this.number, { ...draft, updated: new Date().toISOString() }).catch(() => undefined);
  }
}
