const FORMS = /^(\d{1,2})(?:[:.h ]?(\d{2}))?\s*(am|pm)?$/;
const NOON = 12;

/**
 * What someone typed as a time of day, as "HH:MM" on a 24-hour clock: "9",
 * "930", "9.30", "17h30" and "5 pm" are understood; "24:00" is the end of the
 * day. null when it is none.
 */
export function parseTime(text: string): string | null {
  const found = FORMS.exec(text.trim().toLowerCase().replaceAll('.m', 'm').replace(/m\.$/, 'm'));
  if (!found) return null;
  let hour = Number(found[1]);
  const minute = Number(found[2] ?? 0);
  if (found[3]) {
    if (hour < 1 || hour > NOON) return null;
    hour = (hour % NOON) + (found[3] === 'pm' ? NOON : 0);
  }
  if (minute > 59 || hour > 24 || (hour === 24 && minute > 0)) return null;
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** "HH:MM" in minutes after midnight. */
export function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}

/** Minutes after midnight as "HH:MM", at most the end of the day. */
export function clockTime(all: number): string {
  const at = Math.min(24 * 60, Math.max(0, all));
  return `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
}
