import { get } from '$core/api';

export interface AgentName {
  id: string;
  name: string;
  email: string;
  active?: boolean;
}
export interface TagName {
  id: string;
  name: string;
  count: number;
}

/** Agents, teams and tags to pick from: loaded on first use, kept for the visit. */
class People {
  agents = $state.raw<AgentName[]>([]);
  teams = $state.raw<{ id: string; name: string }[]>([]);
  tags = $state.raw<TagName[]>([]);
  #loading: Promise<void> | null = null;

  load(): Promise<void> {
    return (this.#loading ??= this.reload());
  }

  async reload() {
    const [agents, teams, tags] = await Promise.all(
      ['agents', 'teams', 'tags'].map((noun) =>
        get<{ items: never[] }>(`/api/desk/${noun}`).catch(() => ({ items: [] })),
      ),
    );
    this.agents = (agents!.items as AgentName[]).filter((a) => a.active !== false);
    this.teams = teams!.items;
    this.tags = tags!.items;
  }

  /** Next use loads again: someone changed people or tags. */
  forget() {
    this.#loading = null;
  }
}
export const people = new People();
