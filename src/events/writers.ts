// The writers of this process: one for each ledger, whoever asks.
import { EventWriter, ledgerDirectory, type EventWriterOptions } from './event-writer.ts';
import { witnessEnd } from './process-hooks.ts';

const writers = new Map<string, EventWriter>();
const executions = new Map<string, number>();

/**
 * The writer of this process for a ledger: everything that logs in it shares one file. It is flushed when the
 * process is signalled or an exception is not caught, and closed when the process ends. The options count for the
 * first call only.
 */
export function openWriter(options: EventWriterOptions = {}): EventWriter {
  const ledger = ledgerDirectory(options);
  const known = writers.get(ledger);
  if (known !== undefined && !known.isClosed) return known;
  const writer = new EventWriter({ ...options, ledger });
  writers.set(ledger, writer);
  witnessEnd(
    {
      exited: () => writer.close(),
      killed: () => writer.close(),
      signalled: () => void writer.flush(),
      threw: () => void writer.flush(),
    },
    'writer',
  );
  return writer;
}

/** How many times this process has executed a run before this call, which is one more. */
export function countExecution(runId: string): number {
  const before = executions.get(runId) ?? 0;
  executions.set(runId, before + 1);
  return before;
}
