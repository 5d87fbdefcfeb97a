import { get, post } from '$core/api';
import type { MailboxInput, TestResult } from '../mailbox/mailbox.api';
import type { Hours } from '../schema/schema.types';

export interface SetupInput {
  company: string;
  owner: { name: string; email: string; password: string };
  address: string;
  time_zone: string;
  hours: Hours;
  mailbox?: MailboxInput;
}

export const setupApi = {
  look: (token: string) => get<{ done: boolean; expires?: string; step?: number }>('/api/setup', { token }),
  test: (token: string, box: MailboxInput) =>
    post<TestResult>('/api/setup/mail-test', { mailbox: box }, { query: { token } }),
  finish: (token: string, input: SetupInput) =>
    post<{ token: string; record: { id: string } }>('/api/setup', input, { query: { token } }),
};
