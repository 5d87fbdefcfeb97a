import { del, get, patch, post } from '$core/api';

export interface Agent {
  id: string;
  name: string;
  email: string;
  roles: string[];
  teams: ({ id: string; name?: string } | string)[];
  active: boolean;
  last_seen: string | null;
}
export interface Team {
  id: string;
  name: string;
  members: string[];
}
export interface Invitation {
  id: string;
  email: string | null;
  roles: string[];
  created: string;
  expires: string;
  used: string | null;
  /** Only in the answer that made it. */
  url?: string;
}

const items = <T>(page: { items: T[] }) => page.items;

export const agentApi = {
  agents: () => get<{ items: Agent[] }>('/api/desk/agents').then(items),
  change: (id: string, change: { name?: string; roles?: string[]; teams?: string[]; active?: boolean }) =>
    patch<Agent>(`/api/desk/agents/${id}`, change),
  teams: () => get<{ items: Team[] }>('/api/desk/teams').then(items),
  addTeam: (name: string) => post<Team>('/api/desk/teams', { name }),
  changeTeam: (id: string, change: { name?: string; members?: string[] }) =>
    patch<Team>(`/api/desk/teams/${id}`, change),
  invitations: () => get<{ items: Invitation[] }>('/api/desk/invitations').then(items),
  invite: (invitation: { email?: string; roles: string[]; teams: string[] }) =>
    post<Invitation>('/api/desk/invitations', invitation),
  withdraw: (id: string) => del(`/api/desk/invitations/${id}`),
};
