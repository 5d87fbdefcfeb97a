import { get, patch, post } from '$core/api';

export interface Job {
  name: string;
  title: string;
  schedule: string;
  last: { started: string; ms: number; outcome: string; error: string | null } | null;
  next: string | null;
  paused: boolean;
  running: boolean;
}
export interface QueuedJob {
  id: string;
  kind: string;
  state: 'due' | 'running' | 'dead';
  attempts: number;
  due: string;
  error: string;
}

export const jobApi = {
  list: () => get<{ items: Job[] }>('/api/desk/jobs').then((page) => page.items),
  queue: () => get<{ items: QueuedJob[] }>('/api/desk/jobs/queue').then((page) => page.items),
  run: (name: string) => post<unknown>(`/api/desk/jobs/${name}/run`),
  pause: (name: string, paused: boolean) => patch<unknown>(`/api/desk/jobs/${name}`, { paused }),
  retry: (id: string) => post<unknown>(`/api/desk/jobs/queue/${id}/retry`),
};
