import { locale, t } from './i18n.svelte';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const cache = new Map<string, Intl.DateTimeFormat>();
function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const id = locale.tag + JSON.stringify(options);
  let format = cache.get(id);
  if (!format) cache.set(id, (format = new Intl.DateTimeFormat(locale.tag, { hourCycle: 'h23', ...options })));
  return format;
}

export const timeOfDay = (at: string | Date) => dates({ hour: '2-digit', minute: '2-digit' }).format(new Date(at));
export const fullDate = (at: string | Date) => dates({ dateStyle: 'long', timeStyle: 'short' }).format(new Date(at));

export function sameDay(a: string | number | Date, b: string | number | Date): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** Compact age for a list row: "now", "4m", "3h", then "Mon", then "12 Mar". */
export function age(at: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(at));
  if (ms < MINUTE) return t('time.now');
  if (ms < HOUR) return t('time.minutes', { n: Math.floor(ms / MINUTE) });
  if (ms < DAY) return t('time.hours', { n: Math.floor(ms / HOUR) });
  return day(at, now);
}

/** A time for a message header: "09:41" today, "Mon 15:58" this week, else the date. */
export function stamp(at: string, now: number): string {
  return sameDay(at, now) ? timeOfDay(at) : `${day(at, now)} ${timeOfDay(at)}`;
}

/** "Today", "Mon" within six days, "12 Mar" this year, "12 Mar 2025" before. */
export function day(at: string, now: number): string {
  if (sameDay(at, now)) return t('time.today');
  const date = new Date(at);
  if (Math.abs(now - date.getTime()) < 6 * DAY) return dates({ weekday: 'short' }).format(date);
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return dates({ day: 'numeric', month: 'short', year }).format(date);
}

/** A day of the week by its number, Monday being 0. */
export function weekday(index: number, width: 'long' | 'short' = 'long'): string {
  return dates({ weekday: width, timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + index)); // the 1st was a Monday
}

/** The heading between two days of a conversation. */
export function dayHeading(at: string, now: number): string {
  if (sameDay(at, now)) return t('time.today');
  if (sameDay(at, now - DAY)) return t('time.yesterday');
  return dates({ weekday: 'long', day: 'numeric', month: 'long' }).format(new Date(at));
}

/** "in 4 minutes", "2 hours ago", in words; within the minute, which is how often the clock ticks, "now". */
export function relative(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  const format = new Intl.RelativeTimeFormat(locale.tag, { numeric: 'auto' });
  const abs = Math.abs(ms);
  if (abs < MINUTE) return format.format(0, 'second');
  if (abs < HOUR) return format.format(Math.round(ms / MINUTE), 'minute');
  if (abs < DAY) return format.format(Math.round(ms / HOUR), 'hour');
  return format.format(Math.round(ms / DAY), 'day');
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** "84 kB", "1.8 MB". */
export function fileSize(bytes: number): string {
  if (!Number.isFinite(bytes)) return '';
  const step = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  const digits = value < 10 && step > 0 ? 1 : 0;
  return new Intl.NumberFormat(locale.tag, {
    style: 'unit',
    unit: UNITS[step],
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value);
}

/** "0.4 s", "820 ms". */
export function duration(ms: number): string {
  if (ms < 1000) return t('time.ms', { n: Math.round(ms) });
  return ms < 60_000
    ? t('time.seconds', { n: Math.round(ms / 100) / 10 })
    : t('time.minutes', { n: Math.round(ms / MINUTE) });
}

export function count(n: number): string {
  return new Intl.NumberFormat(locale.tag).format(n);
}

/** "Maren Holt" -> "MH"; an address gives its first two letters. */
export function initials(name: string): string {
  const words = name
    .split('@')[0]!
    .split(/[\s._-]+/)
    .filter(Boolean);
  const letters =
    words.length > 1 ? [words[0]!, words[words.length - 1]!].map((w) => [...w][0]) : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toUpperCase();
}

/** One of six colours, always the same for the same person. */
export function tint(seed: string): string {
  let hash = 0;
  for (const ch of seed) hash = (hash * 31 + ch.codePointAt(0)!) >>> 0;
  return 'abcdef'[hash % 6]!;
}

export function firstName(name: string): string {
  return name.split(/\s+/)[0] || name;
}

/** The text of our own HTML on one line, for previews and checks. */
export function plainText(html: string): string {
  const body = new DOMParser().parseFromString(html.replace(/<(br|\/p|\/li|\/div)\b[^>]*>/gi, '$& '), 'text/html').body;
  return (body.textContent ?? '').replace(/\s+/g, ' ').trim();
}
