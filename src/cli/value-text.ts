// Values as people read them in a table.
import { duration } from './human.ts';

const DIGITS = 4;

/** 0.8125, 12.5, 1.2e-7, 128: at most four significant digits, whole numbers in full. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : String(value);
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
