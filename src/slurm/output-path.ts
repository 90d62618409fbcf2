// Where a job's output goes: what squeue says has the patterns of sbatch still in it.
import path from 'node:path';

export interface OutputOf {
  /** Raw id. */
  job: string;
  array?: string | undefined;
  task?: string | undefined;
  user?: string | undefined;
  name?: string | undefined;
  nodes?: string | undefined;
}

const PATTERN = /\\|%(\d{0,2})([%AaJjNnstubx])/g;

/** Undefined if the path is not absolute, or has a pattern whose value is not known. */
export function outputPath(text: string | undefined, of: OutputOf): string | undefined {
  if (text === undefined || !text.startsWith('/')) return undefined;
  // a backslash anywhere turns the patterns off
  if (text.includes('\\')) return text.replaceAll('\\', '');
  let isKnown = true;
  const expanded = text.replace(PATTERN, (_, width: string, letter: string) => {
    const value = valueOf(letter, of);
    if (value === undefined) isKnown = false;
    const isNumber = /^\d+$/.test(value ?? '');
    return isNumber ? (value ?? '').padStart(Number(width), '0') : (value ?? '');
  });
  return isKnown ? ofTask(expanded, of) : undefined;
}

function valueOf(letter: string, of: OutputOf): string | undefined {
  switch (letter) {
    case '%':
      return '%';
    case 'A':
      return of.array ?? of.job;
    case 'a':
      // 4294967294 is what sbatch itself writes outside of an array
      return of.task ?? '4294967294';
    case 'b':
      return of.task === undefined ? undefined : String(Number(of.task) % 10);
    case 'j':
      return of.job;
    case 'N':
      return firstNode(of.nodes);
    case 'n':
    case 't':
      return '0';
    case 'u':
      return of.user;
    case 'x':
      return of.name;
    default:
      return undefined;
  }
}

function firstNode(nodes: string | undefined): string | undefined {
  const [, prefix = '', first = ''] = /^([^,[]+)(?:\[(\d+))?/.exec(nodes ?? '') ?? [];
  const [short = ''] = `${prefix}${first}`.split('.');
  return short === '' ? undefined : short;
}

/** squeue fills the default in by the raw id, also for a task of an array, whose file is slurm-<array>_<task>.out. */
function ofTask(file: string, { job, array, task }: OutputOf): string {
  if (array === undefined || task === undefined || path.posix.basename(file) !== `slurm-${job}.out`)
    return file;
  return path.posix.join(path.posix.dirname(file), `slurm-${array}_${task}.out`);
}
