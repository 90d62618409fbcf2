// A run's points lie by writer, but their order goes by attempt. So they are read as stretches, each one a
// range of one writer's points that follow one another in one attempt, and nothing ever has to be sorted.
import type { Statement } from 'better-sqlite3';
import type { Db } from '../db/open.ts';

export interface Stretch {
  writer: string;
  attempt: string;
  /** `seq` of its first and last point, or around them: no other point of the writer lies between. */
  first: number;
  last: number;
  inView: boolean;
  /** What is at or above it is superseded; null: nothing is. It means nothing out of the view. */
  cutStep: number | null;
  cutEpoch: number | null;
}

interface SeriesRow {
  writer: string;
  attempt: string;
  is_default: 0 | 1;
  cut_step: number | null;
  cut_epoch: number | null;
  /** null: the attempt value has no `run_created`. */
  position: number | null;
  in_view: 0 | 1 | null;
  last_seq: number;
}

interface PlacedStretch extends Stretch {
  /** Of its attempt and writer in the order of points. */
  rank: number;
}

/**
 * The stretches of a run, in the order of points: by attempt, those of no attempt last, then by writer and
 * seq.
 */
export function stretchesOf(db: Db, runId: string): Stretch[] {
  return prepareStretches(db)(runId);
}

/** `stretchesOf` for many runs. */
export function prepareStretches(db: Db): (runId: string) => Stretch[] {
  const seriesOf = prepareSeries(db);
  const startsOf = prepareStarts(db);
  // in a transaction, so that attempts, cuts and points are of one moment
  return db.transaction((runId: string) => {
    const series = seriesOf.all({ runId });
    const ranks = ranksOf(series);
    const byWriter = new Map<string, Map<string, SeriesRow>>();
    for (const row of series) {
      const ofWriter = byWriter.get(row.writer) ?? new Map<string, SeriesRow>();
      byWriter.set(row.writer, ofWriter.set(row.attempt, row));
    }
    const placed = [...byWriter.values()].flatMap((ofWriter) =>
      stretchesOfWriter(startsOf, runId, ofWriter, ranks),
    );
    // those of one rank are of one writer, and in the order of seq already
    return placed.toSorted((a, b) => a.rank - b.rank);
  });
}

function prepareSeries(db: Db): Statement<[{ runId: string }], SeriesRow> {
  return db.prepare(
    `SELECT s.writer, s.attempt, s.is_default, s.cut_step, s.cut_epoch, a.position, a.in_view,
       (SELECT max(m.seq) FROM run_metrics m WHERE m.run_id = s.run_id AND m.writer = s.writer) AS last_seq
     FROM _series s LEFT JOIN _attempts a ON a.run_id = s.run_id AND a.attempt = s.attempt
     WHERE s.run_id = @runId ORDER BY a.position IS NULL, a.position, s.writer`,
  );
}

/** Series of one writer that belong to no attempt share a rank: among their points, seq alone decides. */
function ranksOf(series: readonly SeriesRow[]): Map<SeriesRow, number> {
  const ranks = new Map<SeriesRow, number>();
  let rank = 0;
  let before: SeriesRow | undefined;
  for (const row of series) {
    if (before !== undefined && (before.position !== row.position || before.writer !== row.writer)) rank += 1;
    ranks.set(row, rank);
    before = row;
  }
  return ranks;
}

function stretchesOfWriter(
  startsOf: StartsStatement,
  runId: string,
  series: ReadonlyMap<string, SeriesRow>,
  ranks: ReadonlyMap<SeriesRow, number>,
): PlacedStretch[] {
  const [any] = series.values();
  if (any === undefined) return [];
  const starts = series.size === 1 ? [{ attempt: any.attempt, seq: 0 }] : startsIn(startsOf, runId, series);
  return starts.flatMap(({ attempt, seq }, index) => {
    const row = series.get(attempt);
    if (row === undefined) return [];
    const next = starts[index + 1];
    return {
      writer: row.writer,
      attempt,
      first: seq,
      last: next === undefined ? row.last_seq : next.seq - 1,
      inView: row.position === null || row.in_view === 1,
      cutStep: row.cut_step,
      cutEpoch: row.cut_epoch,
      rank: ranks.get(row) ?? 0,
    };
  });
}

interface Start {
  attempt: string;
  seq: number;
}

type StartsStatement = Statement<[object], Start>;

/** Where the points of a writer begin to be of another attempt, by one scan of its range. */
function prepareStarts(db: Db): StartsStatement {
  return db.prepare(
    `SELECT seq, attempt FROM (
       SELECT seq, attempt, lag(attempt) OVER (ORDER BY seq) AS before FROM (
         SELECT m.seq, ifnull(p.attempt, @defaultAttempt) AS attempt FROM run_metrics m
         LEFT JOIN _point_attempts p ON p.run_id = m.run_id AND p.writer = m.writer AND p.seq = m.seq
         WHERE m.run_id = @runId AND m.writer = @writer))
     WHERE attempt IS NOT before ORDER BY seq`,
  );
}

function startsIn(starts: StartsStatement, runId: string, series: ReadonlyMap<string, SeriesRow>): Start[] {
  const defaultSeries = [...series.values()].find((row) => row.is_default === 1);
  const { writer, attempt: defaultAttempt } = defaultSeries ?? {};
  return starts.all({ runId, writer, defaultAttempt });
}
