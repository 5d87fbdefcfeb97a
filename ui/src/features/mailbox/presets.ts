import type { Key } from '$core/i18n.svelte';
import type { Security } from './mailbox.api';

export interface Preset {
  id: string;
  label: Key;
  imap: [string, number, Security];
  smtp: [string, number, Security];
  domains: string[];
  /** What this provider asks of one first. */
  hint: Key;
}

export const PRESETS: Preset[] = [
  {
    id: 'google',
    label: 'preset.google',
    imap: ['imap.gmail.com', 993, 'tls'],
    smtp: ['smtp.gmail.com', 465, 'tls'],
    domains: ['gmail.com', 'googlemail.com'],
    hint: 'preset.googleHint',
  },
  {
    id: 'microsoft',
    label: 'preset.microsoft',
    imap: ['outlook.office365.com', 993, 'tls'],
    smtp: ['smtp.office365.com', 587, 'starttls'],
    domains: ['outlook.com', 'hotmail.com', 'live.com'],
    hint: 'preset.microsoftHint',
  },
  {
    id: 'fastmail',
    label: 'preset.fastmail',
    imap: ['imap.fastmail.com', 993, 'tls'],
    smtp: ['smtp.fastmail.com', 465, 'tls'],
    domains: ['fastmail.com', 'fastmail.fm'],
    hint: 'preset.fastmailHint',
  },
  {
    id: 'icloud',
    label: 'preset.icloud',
    imap: ['imap.mail.me.com', 993, 'tls'],
    smtp: ['smtp.mail.me.com', 587, 'starttls'],
    domains: ['icloud.com', 'me.com', 'mac.com'],
    hint: 'preset.icloudHint',
  },
  {
    id: 'other',
    label: 'preset.other',
    imap: ['', 993, 'tls'],
    smtp: ['', 465, 'tls'],
    domains: [],
    hint: 'preset.otherHint',
  },
];

/** The provider an address belongs to, when its domain tells; undefined for a domain of one's own. */
export function presetOf(address: string): Preset | undefined {
  const domain = address.split('@')[1]?.toLowerCase() ?? '';
  return PRESETS.find((preset) => preset.domains.includes(domain));
}
