// RFC 3339 in, one sortable form out, against a calendar computed without Date.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMs, normalizeTimestamp } from '../../src/events/timestamp.ts';

interface Written {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  fraction: string;
  /** Minutes east of UTC. */
  offset: number;
  zone: string;
  separator: string;
}

const pad = (value: number, length: number): string => String(value).padStart(length, '0');

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days since 0000-01-01, counted year by year and month by month. */
function dayNumber(year: number, month: number, day: number): number {
  const years = 365 * year + Math.ceil(year / 4) - Math.ceil(year / 100) + Math.ceil(year / 400);
  let days = year < 0 ? Number.NaN : years;
  for (let earlier = 1; earlier < month; earlier += 1) days += daysIn(year, earlier);
  return days + day - 1;
}

function fromMinutes(minutes: number): string | undefined {
  let day = Math.floor(minutes / 1440);
  const rest = minutes - day * 1440;
  if (day < 0) return undefined;
  let year = Math.floor(day / 366);
  while (dayNumber(year + 1, 1, 1) <= day) year += 1;
  if (year > 9999) return undefined;
  day -= dayNumber(year, 1, 1);
  let month = 1;
  while (day >= daysIn(year, month)) {
    day -= daysIn(year, month);
    month += 1;
  }
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day + 1, 2)}T${pad(Math.floor(rest / 60), 2)}:${pad(rest % 60, 2)}`;
}

function expected({ year, month, day, hour, minute, second, fraction, offset }: Written): string | undefined {
  const carried = second === 60 ? 1 : 0;
  const minutes = dayNumber(year, month, day) * 1440 + hour * 60 + minute + carried - offset;
  const upToMinute = fromMinutes(minutes);
  if (upToMinute === undefined) return undefined;
  return `${upToMinute}:${pad(carried === 1 ? 0 : second, 2)}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
}

function write(time: Written): string {
  const { year, month, day, hour, minute, second, fraction, zone, separator } = time;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const clock = `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}`;
  return `${date}${separator}${clock}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

const zone = fc.oneof(
  fc.constantFrom('Z', 'z').map((text) => ({ zone: text, offset: 0 })),
  fc.record({ sign: fc.constantFrom('+', '-'), hours: fc.nat({ max: 23 }), minutes: fc.nat({ max: 59 }) }).map(
    ({ sign, hours, minutes }) => ({
      zone: `${sign}${pad(hours, 2)}:${pad(minutes, 2)}`,
      offset: (hours * 60 + minutes) * (sign === '-' ? -1 : 1),
    }),
  ),
); // prettier-ignore

const times: fc.Arbitrary<Written> = fc
  .record({
    year: fc.oneof(
      fc.integer({ min: 0, max: 9999 }),
      fc.constantFrom(0, 4, 1900, 1970, 2000, 2024, 2026, 2100, 9999),
    ),
    month: fc.integer({ min: 1, max: 12 }),
    hour: fc.nat({ max: 23 }),
    minute: fc.nat({ max: 59 }),
    second: fc.nat({ max: 60 }),
    fraction: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }).map((digits) => digits.join('')),
    zone,
    separator: fc.constantFrom('T', 't'),
  })
  .chain(({ zone: at, ...time }) =>
    fc.integer({ min: 1, max: daysIn(time.year, time.month) }).map((day) => ({ ...time, ...at, day })),
  );

test('any offset and fraction becomes UTC cut to milliseconds, or undefined outside the years 0000 to 9999', () => {
  fc.assert(
    fc.property(times, (time) => {
      expect(normalizeTimestamp(write(time))).toBe(expected(time));
    }),
    { numRuns: 5000 },
  );
});

test('the calendar of this test is right where Date is', () => {
  fc.assert(
    fc.property(times, (time) => {
      const date = new Date(0);
      date.setUTCFullYear(time.year, time.month - 1, time.day);
      expect(dayNumber(time.year, time.month, time.day) - dayNumber(1970, 1, 1)).toBe(
        date.getTime() / 86_400_000,
      );
    }),
  );
});

test('the stored form is stored as it is, and sorts as the times do', () => {
  const stored = fc.tuple(times, times).map(([one, other]) => [expected(one), expected(other)] as const);
  fc.assert(
    fc.property(stored, ([one, other]) => {
      fc.pre(one !== undefined && other !== undefined);
      expect(normalizeTimestamp(one)).toBe(one);
      expect(Math.sign(epochMs(one) - epochMs(other))).toBe(one < other ? -1 : one > other ? 1 : 0);
    }),
  );
});

test('never throws, and what it lets through has the one form', () => {
  const nearly = fc.tuple(times, fc.nat({ max: 40 }), fc.string({ maxLength: 2 })).map(([time, at, text]) => {
    const written = write(time);
    return written.slice(0, at) + text + written.slice(at + 1);
  });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearly), (text) => {
      const result = normalizeTimestamp(text);
      if (result !== undefined) expect(result).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      if (result !== undefined) expect(normalizeTimestamp(result)).toBe(result);
    }),
    { numRuns: 3000 },
  );
});

describe('by hand', () => {
  test.each([
    ['2026-11-23T10:15:00.123Z', '2026-11-23T10:15:00.123Z'],
    ['2026-11-23T10:15:00Z', '2026-11-23T10:15:00.000Z'],
    ['2026-11-23T10:15:00.1Z', '2026-11-23T10:15:00.100Z'],
    ['2026-11-23T10:15:00.9999999999999999999999Z', '2026-11-23T10:15:00.999Z'],
    ['2026-11-23T00:15:00+01:00', '2026-11-22T23:15:00.000Z'],
    ['2026-11-23T23:15:00-01:30', '2026-11-24T00:45:00.000Z'],
    ['2026-11-23T10:15:00-00:00', '2026-11-23T10:15:00.000Z'],
    ['2026-12-31T23:59:60Z', '2027-01-01T00:00:00.000Z'],
    ['2026-12-31T23:59:60.5Z', '2027-01-01T00:00:00.500Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00+00:01', '0000-12-31T23:59:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, stored) => {
    expect(normalizeTimestamp(text)).toBe(stored);
  });

  test.each([
    '', 'now', '2026-11-23', '2026-11-23T10:15Z', '2026-11-23T10:15:00', '2026-11-23 10:15:00Z', '2026-11-23T10:15:00.Z',
    '2026-11-23T10:15:00,5Z', '2026-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z', '2026-11-00T00:00:00Z', '2026-11-23T24:00:00Z', '2026-11-23T10:60:00Z', '2026-11-23T10:15:61Z',
    '2026-11-23T10:15:00+24:00', '2026-11-23T10:15:00+01:60', '2026-11-23T10:15:00+0100', '2026-11-23T10:15:00+1:00',
    '2026-11-23T10:15:00 Z', ' 2026-11-23T10:15:00Z', '2026-11-23T10:15:00Z\n', '+002026-11-23T10:15:00Z', '26-11-23T10:15:00Z',
    '２026-11-23T10:15:00Z', '0000-01-01T00:00:00+00:01', '9999-12-31T23:59:60Z', '9999-12-31T23:59:59-00:01', '1e3',
  ])('%j is no time', (text) => {
    expect(normalizeTimestamp(text)).toBeUndefined();
  }); // prettier-ignore
});
