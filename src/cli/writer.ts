// The event file of a command that writes.
import { EventWriter } from '../events/event-writer.ts';
import { say, type CliIo, type ExitCode } from './io.ts';

export function openWriter(flags: { ledger?: string; attempt?: string }, io: CliIo): EventWriter {
  return new EventWriter({
    ledger: flags.ledger,
    attempt: flags.attempt,
    env: io.env,
    cwd: io.cwd,
    now: () => io.clock.now(),
    say: (line) => say(io.stderr, line),
  });
}

/** 1 if something has not reached the log. */
export function outcome(writer: EventWriter): ExitCode {
  const { spooled, lost } = writer.status;
  return spooled + lost > 0 ? 1 : 0;
}
