// How squeue and sacct write times, lengths of time, sizes and resources. What cannot be read is undefined.
import { normalizeTimestamp } from '../events/timestamp.ts';

const NOTHING = new Set(['', 'N/A', 'NONE', '(NULL)', 'NULL', 'UNKNOWN', 'NONE ASSIGNED', 'INVALID']);

/** A value that is not one of SLURM's words for "not known". */
export function known(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? '';
  return NOTHING.has(trimmed.toUpperCase()) ? undefined : trimmed;
}

export function wholeNumber(text: string | undefined): number | undefined {
  const value = known(text);
  if (value === undefined || !/^\d+$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** `2026-11-23T21:38:23`, asked for in UTC, as events write times. */
export function utcTime(text: string | undefined): string | undefined {
  const value = known(text);
  return value === undefined ? undefined : normalizeTimestamp(`${value}Z`);
}

const DURATION = /^(?:(\d+)-)?(?:(\d+):)?(?:(\d+):)?(\d+(?:\.\d+)?)$/;

/** `[[days-]hours:]minutes:seconds[.fraction]` in seconds. `UNLIMITED` is undefined. */
export function durationSeconds(text: string | undefined): number | undefined {
  const match = DURATION.exec(known(text) ?? '');
  if (match === null) return undefined;
  const [, days = '0', first, second, seconds = '0'] = match;
  // of two numbers the first is minutes
  const [hours, minutes] = second === undefined ? ['0', first ?? '0'] : [first ?? '0', second];
  const total = Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return total <= Number.MAX_SAFE_INTEGER ? rounded(total) : undefined;
}

const KILOBYTES: Readonly<Record<string, number>> = {
  '': 1 / 1024,
  K: 1,
  M: 1024,
  G: 1024 ** 2,
  T: 1024 ** 3,
  P: 1024 ** 4,
};
const SIZE = /^(\d+(?:\.\d+)?)([KMGTP]?)$/i;

/** `3248K`, `1.50G`, a bare number of bytes: in MB, of 1024 kB each as SLURM counts. */
export function sizeMb(text: string | undefined): number | undefined {
  const [, number, unit = ''] = SIZE.exec(known(text) ?? '') ?? [];
  const factor = KILOBYTES[unit.toUpperCase()];
  if (number === undefined || factor === undefined) return undefined;
  return rounded((Number(number) * factor) / 1024);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export interface Resources {
  cpus?: number | undefined;
  gpus?: number | undefined;
  memoryMb?: number | undefined;
}

/** `billing=4,cpu=4,gres/gpu=2,gres/gpu:a100=2,mem=1.50G,node=1`. */
export function resourcesOf(tres: string | undefined): Resources {
  const values = new Map<string, string>();
  for (const part of (known(tres) ?? '').split(',')) {
    const at = part.indexOf('=');
    if (at > 0) values.set(part.slice(0, at), part.slice(at + 1));
  }
  const typed = [...values].filter(([name]) => name.startsWith('gres/gpu:'));
  // the count of each type stands beside the sum of all, but not in every version
  const sum = typed.reduce((total, [, count]) => total + (wholeNumber(count) ?? 0), 0);
  return {
    cpus: wholeNumber(values.get('cpu')),
    gpus: wholeNumber(values.get('gres/gpu')) ?? (sum > 0 ? sum : undefined),
    memoryMb: sizeMb(values.get('mem')),
  };
}

/** How a process ended. Both undefined: that is not known. */
export interface Exit {
  code?: number | undefined;
  signal?: number | undefined;
  /** SLURM's own marks among the signals: the output file could not be opened, or what it used was too much. */
  isLaunchFailure?: boolean;
}

const LAUNCH_FAILURE = 53;
const LAST_SIGNAL = 64;

/** `code:signal`. With a signal the code says nothing. */
export function exitOf(text: string | undefined): Exit {
  const [, code, signal] = /^(\d{1,5}):(\d{1,5})$/.exec(known(text) ?? '') ?? [];
  return code === undefined ? {} : exit(Number(code), Number(signal));
}

/** What wait() gave, as squeue has it: 35584 is 139, 11 is a death by SIGSEGV. */
export function exitOfWaitStatus(text: string | undefined): Exit {
  const status = wholeNumber(text);
  if (status === undefined || status > 0xff_ff) return {};
  return exit(status >> 8, status & 0x7f);
}

function exit(code: number, signal: number): Exit {
  if (signal === 0) return { code };
  if (signal === LAUNCH_FAILURE) return { isLaunchFailure: true };
  return signal <= LAST_SIGNAL ? { signal } : {};
}
