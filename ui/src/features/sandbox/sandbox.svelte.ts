import { on } from '$core/bus';
import { sentence } from '$core/errors';
import { t } from '$core/i18n.svelte';
import { toasts } from '$core/toast.svelte';
import { emailOf, nameOf } from '../ticket/address';
import { encode, sandboxApi, type SandboxMail, type SandboxState } from './sandbox.api';

const POLL_MS = 2500;

/** The customer's side of the sandbox: who one plays, what one writes, what comes back. */
export class Sandbox {
  state = $state.raw<SandboxState | null>(null);
  problem = $state<string | null>(null);
  name = $state('');
  email = $state('');
  subject = $state('');
  text = $state('');
  files = $state.raw<File[]>([]);
  replyTo = $state.raw<SandboxMail | null>(null);
  busy = $state(false);
  /** Mails that arrived since the page was opened. */
  fresh = $state.raw(new Set<string>());

  start(): () => void {
    void this.load();
    const timer = setInterval(() => document.visibilityState === 'visible' && void this.load(), POLL_MS);
    const offs = [on('tickets.changed', () => void this.load()), on('desk.changed', () => void this.load())];
    return () => {
      clearInterval(timer);
      offs.forEach((off) => off());
    };
  }

  async load() {
    try {
      const next = await sandboxApi.state();
      const before = this.state;
      if (before) {
        const known = new Set(before.mails.map((mail) => mail.id));
        const more = next.mails.filter((mail) => !known.has(mail.id)).map((mail) => mail.id);
        if (more.length) this.fresh = new Set([...this.fresh, ...more]);
      } else if (!this.email) this.#play(next.customers[0]);
      this.state = next;
      this.problem = null;
    } catch (err) {
      if (!this.state) this.problem = sentence(err);
    }
  }

  choose(email: string) {
    this.#play(this.state?.customers.find((one) => one.email === email));
  }

  #play(customer: { name: string; email: string } | undefined) {
    if (!customer) return;
    this.name = customer.name;
    this.email = customer.email;
  }

  reply(mail: SandboxMail) {
    this.replyTo = mail;
    this.email = emailOf(mail.to[0]);
    this.name = this.state?.customers.find((one) => one.email === this.email)?.name ?? nameOf(mail.to[0]);
    this.subject = /^re:/i.test(mail.subject) ? mail.subject : `Re: ${mail.subject}`;
  }

  fresher() {
    this.replyTo = null;
    this.subject = '';
  }

  get complete(): boolean {
    return this.email.includes('@') && this.text.trim() !== '' && (this.subject.trim() !== '' || this.replyTo !== null);
  }

  async send() {
    if (!this.complete) return;
    this.busy = true;
    try {
      await sandboxApi.write({
        from: { name: this.name.trim(), email: this.email.trim() },
        subject: this.subject.trim(),
        text: this.text,
        in_reply_to: this.replyTo?.id,
        attachments: await Promise.all(this.files.map(encode)),
      });
      this.text = '';
      this.files = [];
      this.fresher();
      toasts.info(t('sandbox.sent'));
    } catch (err) {
      toasts.error(err);
    }
    this.busy = false;
  }
}
