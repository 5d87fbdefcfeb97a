import { get, post } from '$core/api';

export const inviteApi = {
  look: (token: string) =>
    get<{ company: string; email: string | null; expires: string }>(
      `/api/public/invitations/${encodeURIComponent(token)}`,
    ),
  accept: (token: string, person: { name: string; email: string; password: string }) =>
    post<{ token: string; record: { id: string } }>(`/api/public/invitations/${encodeURIComponent(token)}`, person),
};
