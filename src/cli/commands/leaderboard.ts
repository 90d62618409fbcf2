// runfold leaderboard: methods by data sets, with what their runs came to.
import { RunfoldError } from '../../errors.ts';
import { RUN_STATUSES } from '../../events/event.ts';
import { wrongArgument } from '../../query/arguments.ts';
import type { LeaderboardOptions } from '../../query/leaderboard-options.ts';
import { leaderboard as query } from '../../query/leaderboard.ts';
import type { Goal } from '../../query/metric-at.ts';
import { formatOf, type FormatFlags } from '../format/options.ts';
import { isColoured, print } from '../format/print.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { relabelled } from '../leaderboard-labels.ts';
import { warnings } from '../leaderboard-notes.ts';
import type { BoardDisplay } from '../leaderboard-display.ts';
import { boardRecords, boardTable } from '../leaderboard-table.ts';
import { printSafe } from '../print-safe.ts';
import { filterOf, reading, type FilterFlags, type ReadingFlags } from '../reading.ts';
import { sayIfNone, sayUnknownNames } from '../unknown-names.ts';

export interface LeaderboardFlags extends ReadingFlags, FilterFlags, FormatFlags {
  rows?: string;
  columns?: string;
  at?: string;
  goal?: Goal;
  allStatuses?: boolean;
  spread?: BoardDisplay['spread'];
  counts: boolean;
  digits?: number;
  scale?: number;
  rename?: string[];
  order?: string[];
}

const DIGITS = 3;

export function leaderboard(metric: string, flags: LeaderboardFlags, io: CliIo): Promise<ExitCode> {
  const format = formatOf(flags);
  const options = optionsOf(metric, flags);
  const display: BoardDisplay = {
    spread: flags.spread ?? 'std',
    hasCounts: flags.counts,
    digits: flags.digits ?? DIGITS,
    scale: flags.scale ?? 1,
    isMarked: format === 'table' && !isColoured(io),
  };
  return reading(flags, io, (db) => {
    sayUnknownNames(
      db,
      filterOf(flags),
      [options.rows, options.columns].filter((field) => field !== undefined),
      io,
    );
    const board = relabelled(query(db, options), flags);
    const isForPeople = format === 'table' || format === 'markdown' || format === 'latex';
    print(isForPeople ? boardTable(board, display) : boardRecords(board), { format }, io);
    if (!isForPeople) for (const warning of warnings(board)) say(io.stderr, printSafe(warning));
    if (board.totals.seen === 0) sayIfNone(db, { ...filterOf(flags), status: undefined }, io);
    return 0;
  });
}

function optionsOf(metric: string, flags: LeaderboardFlags): LeaderboardOptions {
  const { rows, columns, at, goal, allStatuses = false, status } = flags;
  if (allStatuses && status !== undefined) {
    throw new RunfoldError('usage', '--all-statuses and --status cannot both be');
  }
  return {
    ...filterOf(flags),
    metric,
    goal,
    at: at === undefined ? undefined : parseAt(at),
    rows,
    columns,
    status: allStatuses ? RUN_STATUSES : status,
  };
}

/** `final`, `best`, or `best:METRIC`, `min:METRIC`, `max:METRIC`. */
function parseAt(text: string): LeaderboardOptions['at'] {
  if (text === 'final' || text === 'best') return text;
  const [, which, metric] = /^(best|min|max):(.+)$/s.exec(text) ?? [];
  if (metric === undefined) {
    throw wrongArgument('--at', 'final, best, best:METRIC, min:METRIC or max:METRIC', text);
  }
  return which === 'min' || which === 'max' ? { metric, goal: which } : { metric };
}
