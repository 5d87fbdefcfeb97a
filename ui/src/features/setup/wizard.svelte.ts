import { weekday } from '$core/format';
import { t } from '$core/i18n.svelte';
import { MailboxDraft } from '../mailbox/draft.svelte';
import { officeHours, DAYS, type Day, type Hours } from '../schema/schema.types';
import { sessionApi } from '../session/session.api';
import { session } from '../session/session.svelte';
import { isEmail } from '../ticket/address';
import { setupApi } from './setup.api';

export const STEPS = ['company', 'owner', 'hours', 'mail', 'done'] as const;
export type Step = (typeof STEPS)[number];
export const PASSWORD_MIN = 10;

/** The answers of the first start, step by step. */
export class Wizard {
  step = $state<Step>('company');
  company = $state('');
  name = $state('');
  email = $state('');
  password = $state('');
  timeZone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');
  hours = $state.raw<Hours>(officeHours());
  mailbox = new MailboxDraft();
  tested = $state<boolean | null>(null);
  sandbox = $state(false);
  busy = $state(false);
  problem = $state<unknown>(null);

  constructor(readonly token: string) {}

  get index(): number {
    return STEPS.indexOf(this.step);
  }

  /** What the rail says about a step that is done. */
  summary(step: Step): string {
    if (step === 'company') return this.company;
    if (step === 'owner') return this.email;
    if (step === 'hours') return `${this.#days()}, ${this.timeZone.split('/').pop()!.replaceAll('_', ' ')}`;
    if (step === 'mail') return this.sandbox ? t('setup.sandboxChosen') : this.mailbox.address;
    return '';
  }

  get complete(): boolean {
    if (this.step === 'company') return this.company.trim() !== '';
    if (this.step === 'owner') {
      return this.name.trim() !== '' && isEmail(this.email.trim()) && this.password.length >= PASSWORD_MIN;
    }
    if (this.step === 'mail') return this.mailbox.complete;
    return true;
  }

  /** On to the next step; the mail step sets the desk up. */
  async next() {
    if (!this.complete) return;
    if (this.step === 'mail') return this.finish(false);
    this.step = STEPS[this.index + 1]!;
    if (this.step === 'mail' && !this.mailbox.address) this.mailbox.address = this.#supportAddress();
  }

  back() {
    if (this.index > 0) this.step = STEPS[this.index - 1]!;
  }

  async finish(sandbox: boolean) {
    this.busy = true;
    this.problem = null;
    try {
      const signed = await setupApi.finish(this.token, {
        company: this.company.trim(),
        owner: { name: this.name.trim(), email: this.email.trim(), password: this.password },
        address: this.mailbox.address.trim() || this.#supportAddress(),
        time_zone: this.timeZone,
        hours: this.hours,
        mailbox: sandbox ? undefined : this.mailbox.input(),
      });
      sessionApi.keep(signed);
      this.sandbox = sandbox;
      this.step = 'done';
      await session.start();
    } catch (err) {
      this.problem = err;
    }
    this.busy = false;
  }

  #supportAddress(): string {
    const domain = this.email.split('@')[1];
    return domain ? `support@${domain}` : '';
  }

  /** "Mon to Fri" when the open days follow each other, else the days. */
  #days(): string {
    const open = DAYS.filter((day) => this.hours[day].length > 0);
    const name = (day: Day) => weekday(DAYS.indexOf(day), 'short');
    if (open.length === 0) return t('hours.always');
    const first = DAYS.indexOf(open[0]!);
    const run = open.every((day, i) => DAYS.indexOf(day) === first + i);
    if (run && open.length > 2) return t('hours.range', { from: name(open[0]!), to: name(open.at(-1)!) });
    return open.map(name).join(', ');
  }
}
