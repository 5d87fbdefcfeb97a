import { get, post } from '$core/api';

export interface Quarantined {
  id: string;
  channel: string | { name?: string; address?: string };
  received: string;
  from: string;
  subject: string;
  reason: { code: string; text: string };
  size: number;
  tries: number;
}

export const quarantineApi = {
  list: () => get<{ items: Quarantined[] }>('/api/desk/quarantine').then((page) => page.items),
  retry: (id: string) =>
    post<{ ticket: number | { number: number } | null; reason: { text: string } | string | null }>(
      `/api/desk/quarantine/${id}/retry`,
    ),
};
