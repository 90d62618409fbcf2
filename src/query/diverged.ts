// Metrics whose last value is not finite: the results keep the last finite one, which would hide that a run diverged.
import type { Db } from '../db/open.ts';
import type { NonFinite } from '../events/event.ts';
import { parseObject } from './json.ts';
import { EXTRA_PREFIX, METRIC_COLUMNS } from './metric-point.ts';
import { IS_CUT } from './point-rows.ts';
import { prepareStretches, type Stretch } from './stretches.ts';

/** Of each stretch, so many points with a value that is not finite are looked at: a run may log NaN to its end. */
export const LAST_POINTS = 1000;

/** The last value of each metric that has diverged, by the name of its column, or by `extra.` and its own name. */
export type Diverged = ReadonlyMap<string, NonFinite>;

/**
 * The metrics of a run whose last value in the view is NaN or infinite. One that a process has not logged in its last
 * 1,000 points with such a value may be missing.
 */
export function divergedMetrics(db: Db, runId: string): Diverged {
  return divergenceReader(db)(runId);
}

/** `divergedMetrics` for one run after another. */
export function divergenceReader(db: Db): (runId: string) => Diverged {
  const stretchesOf = prepareStretches(db);
  const any = db.prepare<[string], number>(
    'SELECT seq FROM run_metrics WHERE run_id = ? AND nonfinite IS NOT NULL LIMIT 1',
  );
  const series = db.prepare<[string], SeriesRow>(
    'SELECT writer, attempt, summary FROM _series WHERE run_id = ?',
  );
  const words = db.prepare<[StretchOfRun], NonFiniteRow>(LAST_WORDS_SQL);
  const gpuMemory = db.prepare<[StretchOfRun], number | null>(LAST_GPU_MEMORY_SQL).pluck();

  const read = db.transaction((runId: string): Diverged => {
    const stretches = stretchesOf(runId).filter(({ inView }) => inView);
    const found = new Map<string, Last>();
    for (const [index, stretch] of stretches.entries()) {
      for (const { seq, nonfinite } of words.all({ ...stretch, runId })) {
        for (const [name, word] of Object.entries(parseObject<NonFinite>(nonfinite))) {
          found.set(name, { index, seq, word });
        }
      }
    }
    const finite = lastFinite(stretches, series.all(runId));
    // no summary has its last value, so the points are read, if it was ever not finite
    if (found.has('gpu_memory_mb')) {
      for (const [index, stretch] of stretches.entries()) {
        const seq = gpuMemory.get({ ...stretch, runId });
        if (typeof seq === 'number') finite.set('gpu_memory_mb', { index, seq });
      }
    }
    const diverged = [...found].filter(([name, last]) => isAfter(last, finite.get(name)));
    return new Map(diverged.map(([name, { word }]) => [name, word]));
  });
  // of nearly all runs nothing else is asked
  return (runId) => (any.get(runId) === undefined ? NOTHING : read(runId));
}

const NOTHING: Diverged = new Map();

type StretchOfRun = Stretch & { runId: string };

interface NonFiniteRow {
  seq: number;
  nonfinite: string;
}

const IN_STRETCH = `run_id = @runId AND writer = @writer AND seq BETWEEN @first AND @last AND NOT ${IS_CUT}`;

/** Where each text came last, in that order: the texts are few, however many the points. */
const LAST_WORDS_SQL = `SELECT max(seq) AS seq, nonfinite FROM
    (SELECT seq, nonfinite FROM run_metrics WHERE nonfinite IS NOT NULL AND ${IN_STRETCH}
     ORDER BY seq DESC LIMIT ${LAST_POINTS})
  GROUP BY nonfinite ORDER BY seq`;

const LAST_GPU_MEMORY_SQL = `SELECT max(seq) FROM run_metrics WHERE gpu_memory_mb IS NOT NULL AND ${IN_STRETCH}`;

/** Of a point: its stretch, and its seq in that. */
interface Place {
  index: number;
  seq: number;
}

interface Last extends Place {
  word: NonFinite;
}

function isAfter(a: Place, b: Place | undefined): boolean {
  return b === undefined || a.index > b.index || (a.index === b.index && a.seq > b.seq);
}

interface SeriesRow {
  writer: string;
  attempt: string;
  summary: string;
}

/** What is asked of the JSON of `_series`, which is of the points in the view. */
interface Summary {
  /** In the order of the columns. */
  final: readonly ({ seq: number } | null)[];
  extra: readonly (readonly [name: string, { finalSeq: number }])[];
}

function lastFinite(stretches: readonly Stretch[], series: readonly SeriesRow[]): Map<string, Place> {
  const last = new Map<string, Place>();
  for (const { writer, attempt, summary } of series) {
    const add = (name: string, seq: number): void => {
      const index = stretches.findIndex(
        (stretch) =>
          stretch.writer === writer &&
          stretch.attempt === attempt &&
          stretch.first <= seq &&
          seq <= stretch.last,
      );
      if (index !== -1 && isAfter({ index, seq }, last.get(name))) last.set(name, { index, seq });
    };
    const { final, extra } = JSON.parse(summary) as Summary;
    for (const [index, column] of METRIC_COLUMNS.entries()) {
      const mark = final[index];
      if (mark) add(column, mark.seq);
    }
    for (const [name, { finalSeq }] of extra) add(EXTRA_PREFIX + name, finalSeq);
  }
  return last;
}
