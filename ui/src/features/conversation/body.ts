import type { Message } from '../ticket/ticket.types';

/** What our own editor makes; anything else is drawn in the mail frame. */
const OURS = new Set([
  'P',
  'BR',
  'STRONG',
  'B',
  'EM',
  'I',
  'U',
  'S',
  'UL',
  'OL',
  'LI',
  'A',
  'BLOCKQUOTE',
  'CODE',
  'PRE',
  'IMG',
  'DIV',
  'SPAN',
  'H1',
  'H2',
  'H3',
  'HR',
]);

/**
 * How a body is drawn: mail from outside in its frame, what was written here as
 * rich text in the colours of the desk, everything else as plain text.
 */
export function shape(message: Message): 'mail' | 'rich' | 'text' {
  if (!message.html) return 'text';
  if (message.kind === 'customer' || message.author.kind === 'customer') return 'mail';
  return isOurs(message.html) ? 'rich' : 'mail';
}

export function isOurs(html: string): boolean {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  return [...body.querySelectorAll('*')].every((el) => OURS.has(el.tagName) && !el.hasAttribute('style'));
}

/** The part of a plain text that stands below the visible one: quotes and signatures. */
export function folded(message: Message): string {
  const { text, visible_text: visible } = message;
  if (!visible || !text || visible.trim() === text.trim()) return '';
  const squeeze = (s: string) => s.replace(/\r/g, '').trim();
  const all = squeeze(text);
  const start = squeeze(visible);
  return all.startsWith(start) ? all.slice(start.length).replace(/^\n+/, '') : all;
}
