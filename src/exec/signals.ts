// Which signals are passed on to the command, and how to die of one.
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Those that a program can catch and that others send on purpose. A terminal stops both by itself. */
export const FORWARDED = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGXCPU',
  'SIGCONT',
  'SIGURG',
  'SIGWINCH',
] as const satisfies readonly NodeJS.Signals[];

/** A terminal sends these to all processes in its foreground. */
const OF_TERMINALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

const CORE_DUMPING: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
]);

/** The exit code that a shell gives for a death by this signal. */
export function shellCode(signal: NodeJS.Signals): number {
  return 128 + os.constants.signals[signal];
}

/** Whether the command has got the signal already, from the terminal that both are in the foreground of. */
export function reachedByTerminal(signal: NodeJS.Signals): boolean {
  return OF_TERMINALS.has(signal) && isInForeground(readOwnStat());
}

/** @param stat the text of /proc/<pid>/stat */
export function isInForeground(stat: string | undefined): boolean {
  if (stat === undefined) return false;
  // after the name in parentheses, which may hold anything: state, ppid, pgrp, session, tty_nr, tpgid
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal !== '0' && group !== undefined && group === foreground;
}

function readOwnStat(): string | undefined {
  try {
    return readFileSync('/proc/self/stat', 'utf8');
  } catch {
    // not Linux: then it is sent twice rather than not at all
    return undefined;
  }
}

/** Ends this process as the command ended: by the same signal, but without a core of its own beside the command's. */
export function dieOf(signal: NodeJS.Signals): never {
  if (!CORE_DUMPING.has(signal)) {
    if (signal !== 'SIGKILL') {
      // a listener that comes and goes puts the default back, for SIGPIPE too, which Node ignores
      process.on(signal, () => undefined);
      process.removeAllListeners(signal);
    }
    process.kill(process.pid, signal);
  }
  process.exit(shellCode(signal));
}
