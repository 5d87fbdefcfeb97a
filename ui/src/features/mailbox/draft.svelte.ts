import type { Mailbox, MailboxInput, Security, ServerInput } from './mailbox.api';
import { presetOf, PRESETS, type Preset } from './presets';

export interface ServerDraft {
  host: string;
  port: number;
  security: Security;
  user: string;
  password: string;
}
const server = (from?: Partial<ServerDraft> | null, port = 993): ServerDraft => ({
  host: from?.host ?? '',
  port: from?.port ?? port,
  security: from?.security ?? 'tls',
  user: from?.user ?? '',
  password: '',
});

/** A mailbox being typed in. */
export class MailboxDraft {
  id = $state<string | undefined>();
  address = $state('');
  name = $state('');
  team = $state('');
  imap = $state<ServerDraft>(server());
  smtp = $state<ServerDraft>(server(null, 465));
  /** SMTP takes the user and password of IMAP. */
  same = $state(true);
  preset = $state('');
  hasPassword = $state(false);

  constructor(box?: Mailbox) {
    if (!box) return;
    this.id = box.id;
    this.address = box.address;
    this.name = box.name;
    this.team = box.team?.id ?? '';
    this.imap = server(box.imap);
    this.smtp = server(box.smtp, 465);
    this.same = box.imap?.user === box.smtp?.user;
    this.hasPassword = box.imap?.has_password ?? false;
    this.preset = PRESETS.find((one) => one.imap[0] === box.imap?.host)?.id ?? 'other';
  }

  /** Fills hosts and ports of a provider, and leaves what was typed elsewhere alone. */
  choose(preset: Preset) {
    this.preset = preset.id;
    [this.imap.host, this.imap.port, this.imap.security] = preset.imap;
    [this.smtp.host, this.smtp.port, this.smtp.security] = preset.smtp;
    if (!this.imap.user) this.imap.user = this.address;
  }

  /** Takes over the provider that the address tells, once. */
  guess() {
    const found = presetOf(this.address);
    if (found && !this.preset) this.choose(found);
    if (!this.imap.user) this.imap.user = this.address;
  }

  get complete(): boolean {
    const known = this.hasPassword || this.imap.password !== '' || this.imap.user === '';
    return this.address.includes('@') && this.imap.host !== '' && this.smtp.host !== '' && known;
  }

  input(): MailboxInput {
    const imap = wire(this.imap);
    const smtp = wire(this.same ? { ...this.smtp, user: this.imap.user, password: this.imap.password } : this.smtp);
    return {
      id: this.id,
      address: this.address.trim(),
      name: this.name.trim() || undefined,
      team: this.team || undefined,
      imap,
      smtp,
    };
  }
}

function wire({ host, port, security, user, password }: ServerDraft): ServerInput | null {
  if (!host.trim()) return null;
  return { host: host.trim(), port: Number(port), security, user: user.trim(), password: password || undefined };
}
