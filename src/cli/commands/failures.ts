// runfold failures: which runs failed, and of what.
import { getFailures } from '../../query/failures.ts';
import { failureRecords, failureTable } from '../failure-table.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { print } from '../format/print.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface FailuresFlags extends ReadingFlags, FilterFlags, FormatFlags {
  allAttempts?: boolean;
}

export function failures(flags: FailuresFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  return reading(flags, io, (db) => {
    const filter = filterOf(flags);
    sayUnknownNames(db, filter, [], io);
    const groups = getFailures(db, { ...filter, allAttempts: flags.allAttempts });
    const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
    print(isForPeople ? failureTable(groups, io.clock.now()) : failureRecords(groups), flags, io);
    if (groups.length === 0 && sayIfNone(db, filter, io)) {
      say(io.stderr, flags.allAttempts === true ? 'no attempt failed' : 'no run has failed');
    }
    return 0;
  });
}
