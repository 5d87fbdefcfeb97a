import { del, get, patch, post } from '$core/api';

export type Security = 'tls' | 'starttls' | 'opportunistic' | 'none';

export interface ServerInput {
  host: string;
  port: number;
  security: Security;
  user: string;
  /** Left out to keep the one that is stored. */
  password?: string;
}
export interface MailboxInput {
  id?: string;
  address: string;
  name?: string;
  team?: string;
  imap: ServerInput | null;
  smtp: ServerInput | null;
}

interface StoredServer extends Omit<ServerInput, 'password'> {
  has_password: boolean;
}
export interface Mailbox {
  id: string;
  address: string;
  name: string;
  /** 'sandbox' while no real mailbox is connected. */
  kind?: string;
  team: { id: string; name: string } | null;
  imap: StoredServer | null;
  smtp: StoredServer | null;
  state: 'ok' | 'connecting' | 'failing' | 'off';
  text: string;
  since: string | null;
  last_mail: string | null;
}

export interface TestStep {
  id: string;
  state: 'ok' | 'failed' | 'skipped';
  text: string;
  detail: string;
  ms: number;
}
export interface TestResult {
  ok: boolean;
  steps: TestStep[];
}

export const mailboxApi = {
  list: () => get<{ items: Mailbox[] }>('/api/desk/mailboxes').then((page) => page.items),
  add: (box: MailboxInput) => post<Mailbox>('/api/desk/mailboxes', box),
  change: (id: string, box: MailboxInput) => patch<Mailbox>(`/api/desk/mailboxes/${id}`, box),
  remove: (id: string) => del(`/api/desk/mailboxes/${id}`),
  test: (box: MailboxInput) => post<TestResult>('/api/desk/mailboxes/test', box),
};
