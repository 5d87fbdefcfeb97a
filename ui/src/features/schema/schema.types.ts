import { clockTime, minutes } from '$core/clocktime';

export type DayHours = [string, string][];
export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export type Hours = Record<Day, DayHours>;
export const DAYS: Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A setting as the server describes it. */
export interface DeskField {
  key: string;
  label: string;
  help?: string;
  kind: 'text' | 'number' | 'bool' | 'choice' | 'time_zone' | 'hours' | 'html' | 'secret' | 'list';
  options?: { value: string; label: string }[];
  min?: number;
  max?: number;
  unit?: string;
  required?: boolean;
  default?: unknown;
}

const OFFICE: DayHours = [['09:00', '17:00']];

/** Monday to Friday, nine to five. */
export function officeHours(): Hours {
  const hours = emptyHours();
  for (const day of DAYS.slice(0, 5)) hours[day] = structuredClone(OFFICE);
  return hours;
}

export function emptyHours(): Hours {
  return Object.fromEntries(DAYS.map((day) => [day, [] as DayHours])) as Hours;
}

const BREAK_MIN = 60;
const SPAN_MIN = 240;
const DAY_MIN = 24 * 60;

/** A further span of an open day, after a break of an hour; undefined when no room is left. */
export function nextSpan(spans: DayHours): [string, string] | undefined {
  const end = spans.at(-1)?.[1];
  if (!end || minutes(end) + BREAK_MIN >= DAY_MIN) return undefined;
  const from = minutes(end) + BREAK_MIN;
  return [clockTime(from), clockTime(from + SPAN_MIN)];
}

/** Every zone this browser knows, the current one always among them. */
export function timeZones(current: string): string[] {
  const all = Intl.supportedValuesOf('timeZone');
  return all.includes(current) || !current ? all : [current, ...all];
}
