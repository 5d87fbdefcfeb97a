import { call, get, patch, pb, post } from '$core/api';

export interface Banner {
  id: string;
  level: 'info' | 'warn' | 'danger';
  text: string;
  href: string | null;
}

export interface Me {
  /** language is there when the desk keeps what the agent chose; '' means nothing chosen yet. */
  agent: { id: string; name: string; email: string; roles: string[]; signature?: string; language?: string };
  permissions: string[];
  desk: {
    name: string;
    time_zone: string;
    undo_s: number;
    solo: boolean;
    sandbox: boolean;
    test_clock: string | boolean | null;
    version: string;
    locale: string;
  };
  teams: { id: string; name: string }[];
  banners: Banner[];
  last_event: number;
}

export interface Counts {
  inbox: number;
  unassigned: number;
  all: number;
  waiting: number;
  outbox_attention: number;
  quarantine: number;
  teams: Record<string, number>;
}

export interface AgentSession {
  id: string;
  created: string;
  last_seen: string;
  ip: string;
  user_agent: string;
  current: boolean;
}

type SignedIn = { token: string; record: { id: string } };

export const sessionApi = {
  signedIn: () => pb.authStore.isValid,
  /** Keeps a token handed out by set-up or an invitation. */
  keep: (signed: SignedIn) => pb.authStore.save(signed.token, signed.record as never),
  forget: () => pb.authStore.clear(),
  async signIn(identity: string, password: string) {
    const signed = await post<SignedIn>('/api/collections/agents/auth-with-password', { identity, password });
    sessionApi.keep(signed);
  },
  async refresh() {
    sessionApi.keep(await post<SignedIn>('/api/collections/agents/auth-refresh'));
  },
  signOut: () => post<void>('/api/desk/sign-out'),
  me: () => get<Me>('/api/desk/me'),
  counts: () => get<Counts>('/api/desk/counts'),
  changeMe: (change: {
    name?: string;
    signature?: string;
    language?: string;
    password?: string;
    old_password?: string;
  }) => patch<unknown>('/api/desk/me', change),
  sessions: () => get<{ items: AgentSession[] }>('/api/desk/sessions'),
  endSession: (id: string) => call<void>('DELETE', `/api/desk/sessions/${id}`),
  /** Whether the desk still waits for its first start; false when it can't be told. */
  notSetUp: async () => {
    const state = await get<{ done?: boolean }>('/api/setup').catch(() => null);
    return state?.done === false;
  },
};
