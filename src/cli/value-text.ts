// Values as people read them in a table.
import { duration } from './human.ts';

const DIGITS = 4;
/** What a double can hold. */
const ALL_DIGITS = 17;

/** 0.8125, 12.5, 1.2e-7, 128: at most four significant digits, but all those before the point. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return String(value);
  // not every digit would be one of the number
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return exponential(value, DIGITS);
  if (Math.abs(value) >= 10 ** (DIGITS - 1)) return value.toFixed(0);
  return String(Number(value.toPrecision(DIGITS)));
}

/**
 * A number with as many digits as fit `room` characters, rounded to the last one: 0.0361, 1.23e8. Whole numbers may be
 * names, and are not rounded. Where there is too little room, the shortest there is.
 */
export function numberWithin(value: number, room: number): string {
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return String(value);
  let text = String(value);
  for (let digits = ALL_DIGITS; digits > 0 && text.length > room; digits -= 1) text = rounded(value, digits);
  return text;
}

/** To so many significant digits, the shorter way; with an exponent where zeros would stand for digits. */
function rounded(value: number, digits: number): string {
  const plain = value.toPrecision(digits);
  const short = exponential(value, digits);
  if (plain.includes('e')) return short;
  const trimmed = plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  return trimmed.length <= short.length ? trimmed : short;
}

/** 1.5e-30, 1.235e20; in full where the rounded number would be more than a double can hold. */
function exponential(value: number, digits: number): string {
  const text = value.toExponential(digits - 1).replace(/(?:\.0+|(\.\d*?)0+)?e\+?/, '$1e');
  return Number.isFinite(Number(text)) ? text : String(value);
}

/** undefined is: nothing to show. */
export function valueText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return shortNumber(value);
  if (typeof value === 'string') return value;
  const isListOfTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (isListOfTexts) return value.join(', ');
  return JSON.stringify(value);
}

/** `3 min ago`; what lies in the future is `0.0 s ago`, since clocks differ. */
export function ago(iso: string, nowMs: number): string {
  return `${duration(Math.max(0, nowMs - Date.parse(iso)) / 1000)} ago`;
}
