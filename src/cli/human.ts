// Numbers as people read them.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** 0 B, 999 B, 1.2 kB, 34 MB: powers of 1000. */
export function bytes(number: number): string {
  let value = number;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** 0.4 s, 12 s, 3 min, 5 h, 2 days. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  // toLocaleString would first load all that is known of languages: 40 ms
  const digits = String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${digits} ${number === 1 ? one : many}`;
}

const SLURM_UNITS = ['M', 'G', 'T'] as const;

/** Megabytes as one types them for `--mem`, powers of 1024: 500M, 3.9G, 4G. */
export function slurmMemory(megabytes: number): string {
  let value = megabytes;
  let unit = 0;
  while (value >= 1023.95 && unit < SLURM_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(value >= 99.95 ? 0 : 1))}${SLURM_UNITS[unit] ?? ''}`;
}

/** `45 s`, then hours and minutes: 0:05, 1:20, 26:00. */
export function hoursAndMinutes(seconds: number): string {
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

/** 0.03, 1.5, 128: hours with as many digits as tell something. */
export function hours(number: number): string {
  if (number >= 99.95) return Math.round(number).toLocaleString('en-US');
  return String(Number(number.toFixed(number >= 0.995 ? 1 : 2)));
}
