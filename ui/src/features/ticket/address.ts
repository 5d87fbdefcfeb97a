import type { Address } from './ticket.types';

export function emailOf(address: Address | null | undefined): string {
  if (!address) return '';
  if (typeof address !== 'string') return address.address ?? address.email ?? '';
  return /<([^>]+)>/.exec(address)?.[1] ?? address.trim();
}

export function nameOf(address: Address | null | undefined): string {
  if (!address) return '';
  const name = typeof address === 'string' ? /^\s*"?([^"<]*)"?\s*</.exec(address)?.[1]?.trim() : address.name;
  return name || emailOf(address);
}

/** Good enough to catch a slip; the server decides. */
export function isEmail(text: string): boolean {
  return /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/.test(text) || /^[^\s@<>,;]+@localhost$/.test(text);
}

/** Splits what was pasted or typed into a recipient field. */
export function splitAddresses(text: string): string[] {
  return text
    .split(/[,;\n]+/)
    .map((part) => emailOf(part))
    .filter(Boolean);
}
