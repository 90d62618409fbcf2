// RFC 3339 in, one sortable form out.

const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const MINUTE_MS = 60_000;

/**
 * An RFC 3339 time with any offset and fraction as `2026-11-23T10:15:00.123Z`: UTC, cut to milliseconds.
 * A second of 60 is the next minute. Undefined if it is not a time, or not within the years 0000 to 9999.
 */
export function normalizeTimestamp(text: string): string | undefined {
  if (CANONICAL.test(text)) return text;
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = ''] = match;
  const [, , , , , , , , sign, offsetHour = '0', offsetMinute = '0'] = match;
  const inRange =
    Number(hour) <= 23 &&
    Number(minute) <= 59 &&
    Number(second) <= 60 &&
    Number(offsetHour) <= 23 &&
    Number(offsetMinute) <= 59;
  if (!inRange) return undefined;

  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isRealDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isRealDay) return undefined;

  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  date.setUTCHours(Number(hour), Number(minute), Number(second), milliseconds);
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * MINUTE_MS;
  const utc = new Date(date.getTime() - (sign === '-' ? -offset : offset)).toISOString();
  // outside 0000 to 9999 the ISO form gets a sign and six digits, which would no longer sort
  return utc.length === 24 ? utc : undefined;
}

/** Milliseconds since 1970 of a time in the stored form. */
export function epochMs(ts: string): number {
  return Date.parse(ts);
}
