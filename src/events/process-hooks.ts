// Notices how the process ends and tells those who have something to record, without changing the end.
import { isMainThread } from 'node:worker_threads';

/** Somebody with something to record at the end. All of it is synchronous, and nothing of it may throw. */
export interface Witness {
  /** The process exits with this code; nothing runs after. */
  exited(code: number): void;
  /** The process will die of this signal, right after. */
  killed(signal: NodeJS.Signals): void;
  /** A signal came, and the program's own listeners decide what happens. */
  signalled(signal: NodeJS.Signals): void;
  /** An exception that nobody caught; `fatal` unless the program has a listener that may go on after it. */
  threw(error: unknown, fatal: boolean): void;
}

/** In this order: first the runs say how they ended, then the files are closed. */
type Rank = 'run' | 'writer';

const witnesses: Record<Rank, Set<Witness>> = { run: new Set(), writer: new Set() };
const watched = new Map<NodeJS.Signals, () => void>();
let isInstalled = false;

/** Tells `witness` how the process ends, until the returned function is called. Installs the hooks at first use. */
export function witnessEnd(witness: Witness, rank: Rank): () => void {
  installHooks();
  witnesses[rank].add(witness);
  return () => void witnesses[rank].delete(witness);
}

function installHooks(): void {
  if (isInstalled) return;
  isInstalled = true;
  process.on('exit', onExit);
  process.on('uncaughtExceptionMonitor', onUncaughtException);
  watchSignal('SIGTERM');
}

/**
 * Records the end by this signal too. If the program has no other listener for it, the process still dies of it
 * when it has been recorded; only that Node runs listeners when the event loop turns: a loop that never does so
 * is not ended by the signal any more.
 */
export function watchSignal(signal: NodeJS.Signals): void {
  // a worker thread gets no signals
  if (!isMainThread || watched.has(signal)) return;
  const listener = (): void => onSignal(signal);
  watched.set(signal, listener);
  // first, to see the others before a once-listener among them is gone
  process.prependListener(signal, listener);
}

/** Takes all hooks away, for tests. */
export function removeProcessHooks(): void {
  process.off('exit', onExit);
  process.off('uncaughtExceptionMonitor', onUncaughtException);
  for (const [signal, listener] of watched) process.off(signal, listener);
  watched.clear();
  witnesses.run.clear();
  witnesses.writer.clear();
  isInstalled = false;
}

function tellAll(tell: (witness: Witness) => void): void {
  for (const witness of [...witnesses.run, ...witnesses.writer]) tell(witness);
}

function onExit(code: number): void {
  // where the program ends in an await that nothing settles, the argument is 0 and the real code, 13, only here
  const ownCode = Number(process.exitCode ?? code);
  tellAll((witness) => witness.exited(ownCode));
}

function onUncaughtException(error: unknown): void {
  const isCaught =
    process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
  tellAll((witness) => witness.threw(error, !isCaught));
}

function onSignal(signal: NodeJS.Signals): void {
  const others = process.listenerCount(signal) - 1;
  // the package signal-exit only watches: it raises the signal again if it finds itself alone
  const dies = others === 0 || others === countSignalExit();
  if (!dies) {
    tellAll((witness) => witness.signalled(signal));
    return;
  }
  tellAll((witness) => witness.killed(signal));
  const listener = watched.get(signal);
  if (listener !== undefined) process.off(signal, listener);
  if (others === 0) process.kill(process.pid, signal);
}

/** How many listeners of a signal are those of signal-exit, version 3 and 4. */
function countSignalExit(): number {
  const emitters = [
    (globalThis as Record<symbol, unknown>)[Symbol.for('signal-exit emitter')],
    (process as unknown as Record<string, unknown>)['__signal_exit_emitter__'],
  ];
  let count = 0;
  for (const emitter of emitters) {
    if (typeof emitter !== 'object' || emitter === null || !('count' in emitter)) continue;
    if (typeof emitter.count === 'number') count += emitter.count;
  }
  return count;
}
