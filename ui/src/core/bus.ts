/** Everything one part of the workspace tells the others. Names are past tense. */
export interface EventMap {
  /** The server hinted that these tickets changed: refetch what is shown. */
  'tickets.changed': { numbers: number[]; kinds: string[] };
  /** Outbox, jobs or mailboxes changed. */
  'desk.changed': { kinds: string[] };
  /** The line was down or the computer slept: whatever is shown may be old. */
  'live.resumed': undefined;
  /** A request did not reach the server. */
  'line.failed': undefined;
  /** The server no longer knows this session. */
  'session.lost': undefined;
  /** A ticket was changed here, before or after the server agreed. */
  'ticket.patched': { number: number };
}

type Listener<K extends keyof EventMap> = (payload: EventMap[K]) => void;

const listeners = new Map<keyof EventMap, Set<Listener<never>>>();

/** Calls fn on every event of that name until the returned function is called. */
export function on<K extends keyof EventMap>(name: K, fn: Listener<K>): () => void {
  const set = listeners.get(name) ?? new Set();
  set.add(fn as Listener<never>);
  listeners.set(name, set);
  return () => set.delete(fn as Listener<never>);
}

/** Tells all listeners at once; what one of them throws does not stop the others. */
export function emit<K extends keyof EventMap>(
  name: K,
  ...payload: EventMap[K] extends undefined ? [] : [EventMap[K]]
) {
  for (const fn of [...(listeners.get(name) ?? [])]) {
    try {
      (fn as (p?: unknown) => void)(payload[0]);
    } catch (err) {
      reportError(err);
    }
  }
}
