import { ApiError } from '$core/api';
import { emit, on } from '$core/bus';
import { locale, type Language } from '$core/i18n.svelte';
import { live } from '$core/live.svelte';
import { href, router } from '$core/router.svelte';
import { sessionApi, type Counts, type Me } from './session.api';

const COUNT_DELAY_MS = 400;

/** Who is signed in, what they may do, and the numbers in the navigation. */
class Session {
  me = $state.raw<Me | null>(null);
  counts = $state.raw<Counts | null>(null);
  /** Why the start failed, in one sentence; null while it has not. */
  problem = $state<string | null>(null);
  #off: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  can(permission: string): boolean {
    return this.me?.permissions.includes(permission) ?? false;
  }

  get id(): string {
    return this.me?.agent.id ?? '';
  }

  /** Loads the agent and listens for news; without a valid token leads to the sign-in page. */
  async start() {
    if (!sessionApi.signedIn()) return this.#toSignIn();
    this.problem = null;
    try {
      const me = await sessionApi.me();
      await locale.follow(me.agent.language);
      this.me = me;
      void sessionApi.refresh().catch(() => undefined);
      this.#listen(this.me);
      await this.#recount();
    } catch (err) {
      if (err instanceof ApiError && err.status === 401) this.lost();
      else this.problem = err instanceof ApiError ? err.message : String(err);
    }
  }

  async refresh() {
    this.me = await sessionApi.me();
  }

  /** Changes the language here and, where the desk keeps it, wherever the agent signs in. */
  async speak(language: Language) {
    await locale.choose(language);
    if (this.me?.agent.language !== undefined) await sessionApi.changeMe({ language });
  }

  async signOut() {
    await sessionApi.signOut().catch(() => undefined);
    this.lost(false);
  }

  /** The token no longer counts: back to the sign-in page, and afterwards to where one was. */
  lost(comeBack = true) {
    sessionApi.forget();
    this.#stop();
    this.#toSignIn(comeBack);
  }

  #toSignIn(comeBack = true) {
    const at = location.pathname + location.search + location.hash;
    const next = comeBack && router.current.name !== 'signIn' && at !== '/' ? at : undefined;
    router.go(href('signIn', {}, { next }), { replace: true });
  }

  #listen(me: Me) {
    this.#stop(false);
    live.start(me.last_event);
    const topics = ['me', ...me.teams.map((team) => `team:${team.id}`)];
    if (this.can('outbox.read')) topics.push('desk');
    this.#off = [
      ...topics.map((topic) => live.watch(topic)),
      on('tickets.changed', () => this.recountSoon()),
      on('live.resumed', () => this.recountSoon()),
      on('desk.changed', () => {
        this.recountSoon();
        void this.refresh().catch(() => undefined);
      }),
    ];
  }

  #stop(forget = true) {
    for (const off of this.#off) off();
    this.#off = [];
    live.stop();
    if (forget) this.me = this.counts = null;
  }

  /** Many hints in a row cost one request. */
  recountSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#recount().catch(() => undefined), COUNT_DELAY_MS);
  }

  async #recount() {
    this.counts = await sessionApi.counts();
  }
}

export const session = new Session();
on('session.lost', () => session.lost());
export const reloadEverything = () => emit('live.resumed');
