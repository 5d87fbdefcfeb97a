import { get, pb } from './api';
import { emit, on } from './bus';

interface Hint {
  event: number;
  tickets?: number[];
  kinds?: string[];
}
type Post =
  | { type: 'hint'; topic: string; hint: Hint }
  | { type: 'want'; tab: string; topics: string[] }
  | { type: 'ask' }
  | { type: 'line'; up: boolean; caughtUp: number };

const BANNER_MS = 5000;
const RETRY_MS = 3000;
const TICK_MS = 15_000;
/** Timers this late mean that the computer slept; a hidden tab's come once a minute. */
const ASLEEP_MS = 90_000;
const LOCK = 'deskbell-live';

/**
 * News from the server. One tab of the browser holds the SSE connection (a Web
 * Lock says which); the others hear it over a BroadcastChannel and tell it which
 * topics they show. Realtime replays nothing, so on every connect, and when the
 * page becomes visible again, it asks for the events since the last one seen.
 * A connection can also die without a word, in a sleep or between networks: then
 * it is made anew.
 */
class Live {
  /** True once the line has been down for five seconds. */
  lost = $state(false);
  #tab = Math.random().toString(36).slice(2);
  #channel: BroadcastChannel | null = null;
  #mine = new Map<string, number>();
  #wanted = new Map<string, string[]>();
  #subscribed = new Map<string, () => void>();
  #leader = false;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setInterval> | undefined;
  #stop: (() => void) | null = null;

  start(lastEvent: number) {
    this.stop();
    this.#last = lastEvent;
    const abort = new AbortController();
    if ('BroadcastChannel' in window && navigator.locks) {
      this.#channel = new BroadcastChannel(LOCK);
      this.#channel.onmessage = (e) => this.#hear(e.data as Post);
      navigator.locks
        .request(LOCK, { signal: abort.signal }, () => this.#lead(abort.signal))
        .catch(() => undefined /* stopped before it was our turn */);
    } else void this.#lead(abort.signal);
    const { signal } = abort;
    const visible = () => document.visibilityState === 'visible' && void this.catchUp();
    document.addEventListener('visibilitychange', visible, { signal });
    addEventListener('online', () => this.#revive(), { signal });
    addEventListener('offline', () => this.#line(false), { signal });
    const offs = [on('line.failed', () => this.#line(false)), this.#watchSleep()];
    this.#stop = () => {
      abort.abort();
      offs.forEach((off) => off());
    };
    this.#announce();
  }

  stop() {
    this.#stop?.();
    this.#stop = null;
    this.#channel?.close();
    this.#channel = null;
    this.#calm();
  }

  /** Listens to a topic until the returned function is called. */
  watch(topic: string): () => void {
    this.#mine.set(topic, (this.#mine.get(topic) ?? 0) + 1);
    this.#announce();
    return () => {
      const left = (this.#mine.get(topic) ?? 1) - 1;
      if (left > 0) this.#mine.set(topic, left);
      else this.#mine.delete(topic);
      this.#announce();
    };
  }

  /** Asks what happened since the last event we know of. */
  async catchUp() {
    try {
      const news = await get<{ last: number; tickets: number[]; more: boolean }>('/api/desk/events', {
        since: this.#last,
      });
      this.#last = Math.max(this.#last, news.last);
      if (news.more) emit('live.resumed');
      else if (news.tickets.length) emit('tickets.changed', { numbers: news.tickets, kinds: [] });
      this.#line(true);
    } catch {
      // The SDK goes on trying to connect; the next connect asks again.
    }
  }

  /** Calls #revive after a sleep. */
  #watchSleep(): () => void {
    let last = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - last > ASLEEP_MS) this.#revive();
      last = Date.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }

  /** Makes the connection anew, which asks what was missed; other tabs hear of it. */
  #revive() {
    if (!this.#leader) return void this.catchUp();
    this.#subscribed.clear();
    void pb.realtime
      .unsubscribe()
      .catch(() => undefined)
      .then(() => this.#connect());
  }

  #connect() {
    void pb.realtime.subscribe('PB_CONNECT', () => void this.catchUp()).catch(() => this.#line(false));
    this.#sync();
  }

  #lead(signal: AbortSignal): Promise<void> {
    this.#leader = true;
    this.#post({ type: 'ask' });
    // Also called when unsubscribe has ended the last connection on purpose: then no topic is left.
    pb.realtime.onDisconnect = (topics) => topics.length > 0 && !signal.aborted && this.#line(false);
    this.#connect();
    return new Promise((done) =>
      signal.addEventListener('abort', () => {
        this.#leader = false;
        this.#subscribed.clear();
        pb.realtime.onDisconnect = undefined;
        void pb.realtime.unsubscribe();
        done();
      }),
    );
  }

  #hear(post: Post) {
    if (post.type === 'hint') this.#deliver(post.topic, post.hint);
    else if (post.type === 'ask') this.#announce();
    else if (post.type === 'line') this.#line(post.up, true);
    else if (this.#leader) {
      this.#wanted.set(post.tab, post.topics);
      this.#sync();
    }
  }

  #announce() {
    const topics = [...this.#mine.keys()];
    if (this.#leader) this.#sync();
    else this.#post({ type: 'want', tab: this.#tab, topics });
  }

  /** Subscribes to what any tab shows, and to nothing else. */
  #sync() {
    if (!this.#leader) return;
    const wanted = new Set([...this.#mine.keys(), ...[...this.#wanted.values()].flat()]);
    for (const [topic, off] of this.#subscribed) {
      if (wanted.has(topic)) continue;
      this.#subscribed.delete(topic);
      off();
    }
    for (const topic of wanted) {
      if (this.#subscribed.has(topic)) continue;
      this.#subscribed.set(topic, () => void pb.realtime.unsubscribe(topic).catch(() => undefined));
      void pb.realtime.subscribe(topic, (hint: Hint) => this.#receive(topic, hint)).catch(() => this.#line(false));
    }
  }

  #receive(topic: string, hint: Hint) {
    this.#post({ type: 'hint', topic, hint });
    this.#deliver(topic, hint);
  }

  #deliver(topic: string, hint: Hint) {
    if (hint.event) this.#last = Math.max(this.#last, hint.event);
    const kinds = hint.kinds ?? [];
    if (topic === 'desk') emit('desk.changed', { kinds });
    if (hint.tickets?.length) emit('tickets.changed', { numbers: hint.tickets, kinds });
  }

  #line(up: boolean, heard = false) {
    if (!heard) this.#post({ type: 'line', up, caughtUp: this.#last });
    if (up) return this.#calm();
    this.#timer ??= setTimeout(() => (this.lost = true), BANNER_MS);
    if (!heard) this.#retry ??= setInterval(() => void this.catchUp(), RETRY_MS);
  }

  #calm() {
    clearTimeout(this.#timer);
    clearInterval(this.#retry);
    this.#timer = this.#retry = undefined;
    this.lost = false;
  }

  #post(post: Post) {
    this.#channel?.postMessage(post);
  }
}

export const live = new Live();
