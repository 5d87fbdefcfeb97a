import { sentence } from '$core/errors';
import { toasts } from '$core/toast.svelte';
import { people } from '../session/people.svelte';
import { session } from '../session/session.svelte';
import { agentApi, type Agent, type Invitation, type Team } from './agent.api';

/** Roles one can give here; the owner's is not handed out. */
export const ROLES = ['associate', 'admin'] as const;

/** Everyone of the desk, as the settings show them. */
export class PeoplePage {
  agents = $state.raw<Agent[] | null>(null);
  teams = $state.raw<Team[]>([]);
  invitations = $state.raw<Invitation[]>([]);
  problem = $state('');

  async load() {
    try {
      [this.agents, this.teams, this.invitations] = await Promise.all([
        agentApi.agents(),
        agentApi.teams(),
        session.can('agent.invite') ? agentApi.invitations() : [],
      ]);
      this.problem = '';
    } catch (err) {
      this.problem = sentence(err);
    }
  }

  get open(): Invitation[] {
    return this.invitations.filter((one) => !one.used);
  }

  teamsOf(agent: Agent): string {
    const names = agent.teams.map((team) =>
      typeof team === 'string' ? this.#name(team) : (team.name ?? this.#name(team.id)),
    );
    return names.filter(Boolean).join(', ');
  }

  async do(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
    } catch (err) {
      toasts.error(err);
      return false;
    }
    people.forget();
    await Promise.all([this.load(), session.refresh()]);
    return true;
  }

  #name(id: string): string {
    return this.teams.find((team) => team.id === id)?.name ?? '';
  }
}
