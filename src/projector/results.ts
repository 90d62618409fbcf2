// A run's series -> its view and its row in run_results.
import { NAMED_METRICS } from '../events/event.ts';
import { compareGoodness, greater, lesser, type Cut, type Mark, type Series } from './series.ts';
import { compareUtf8 } from './utf8-order.ts';

/** Attempts in order, with whether they are in the view. */
export type ViewedAttempts = readonly { id: string; inView: boolean }[];

/** The columns of `run_results` but `run_id`, in the order of the table. */
export type ResultsRow = (number | string | null)[];

interface Placed {
  series: Series;
  /** Position of the attempt; beyond the last for points that belong to none. */
  position: number;
}

/**
 * The cut that the view puts on each attempt, by id: the lowest `step` and `epoch` of the attempts after it.
 * Attempts out of the view are not in it: their points do not count whatever the cut.
 */
export function cutsOf(attempts: ViewedAttempts, series: Iterable<Series>): Map<string, Cut> {
  const lowest = new Map<string, Cut>();
  for (const { attempt, minStep, minEpoch } of series) {
    const known = lowest.get(attempt);
    lowest.set(attempt, {
      step: minStep === null ? (known?.step ?? null) : lesser(known?.step ?? null, minStep),
      epoch: minEpoch === null ? (known?.epoch ?? null) : lesser(known?.epoch ?? null, minEpoch),
    });
  }
  const cuts = new Map<string, Cut>();
  let cut: Cut = { step: null, epoch: null };
  for (const { id, inView } of attempts.toReversed()) {
    if (!inView) break;
    cuts.set(id, cut);
    const own = lowest.get(id);
    if (own === undefined) continue;
    cut = {
      step: own.step === null ? cut.step : lesser(cut.step, own.step),
      epoch: own.epoch === null ? cut.epoch : lesser(cut.epoch, own.epoch),
    };
  }
  return cuts;
}

/** The row, or undefined if the view has neither a point nor a `result` (`results` is their JSON). */
export function resultsRow(
  attempts: ViewedAttempts,
  series: Iterable<Series>,
  results: string | null,
): ResultsRow | undefined {
  const placed = placeInView(attempts, series);
  const points = placed.reduce((sum, { series: { summary } }) => sum + summary.points, 0);
  if (points === 0 && results === null) return undefined;
  const row: ResultsRow = [];
  for (const index of NAMED_METRICS.keys()) {
    const best = bestOf(placed, index);
    row.push(best?.value ?? null, best?.epoch ?? null, finalOf(placed, index)?.value ?? null);
  }
  row.push(
    greatest(placed, ({ summary }) => summary.lastEpoch),
    totalElapsedSeconds(placed),
    greatest(placed, ({ summary }) => summary.peakGpuMemoryMb),
    points,
    extraOf(placed),
    results,
  );
  return row;
}

/** The series in the view, in the order of points: by (attempt, writer). */
function placeInView(attempts: ViewedAttempts, series: Iterable<Series>): Placed[] {
  const positions = new Map(attempts.map(({ id }, position) => [id, position]));
  const placed = [...series]
    .map((item) => ({ series: item, position: positions.get(item.attempt) ?? attempts.length }))
    .filter(({ position }) => attempts[position]?.inView ?? true);
  return placed.toSorted(
    (a, b) =>
      a.position - b.position ||
      compareUtf8(a.series.writer, b.series.writer) ||
      compareUtf8(a.series.attempt, b.series.attempt),
  );
}

/** Only series of no attempt can share a position and a writer; there seq alone decides. */
function sharePlace(a: Placed, b: Placed): boolean {
  return a.position === b.position && a.series.writer === b.series.writer;
}

function bestOf(placed: readonly Placed[], index: number): Mark | undefined {
  let best: Mark | undefined;
  let from: Placed | undefined;
  for (const item of placed) {
    const mark = item.series.summary.best[index];
    if (!mark) continue;
    const order = best === undefined ? 1 : compareGoodness(NAMED_METRICS[index], mark.value, best.value);
    const isEarlier =
      best !== undefined && from !== undefined && sharePlace(from, item) && mark.seq < best.seq;
    if (order > 0 || (order === 0 && isEarlier)) {
      best = mark;
      from = item;
    }
  }
  return best;
}

function finalOf(placed: readonly Placed[], index: number): Mark | undefined {
  let final: Mark | undefined;
  let from: Placed | undefined;
  for (const item of placed) {
    const mark = item.series.summary.final[index];
    if (!mark) continue;
    const isEarlier =
      final !== undefined && from !== undefined && sharePlace(from, item) && mark.seq < final.seq;
    if (isEarlier) continue;
    final = mark;
    from = item;
  }
  return final;
}

function greatest(placed: readonly Placed[], pick: (series: Series) => number | null): number | null {
  let result: number | null = null;
  for (const { series } of placed) {
    const value = pick(series);
    if (value !== null) result = greater(result, value);
  }
  return result;
}

/** The sum over attempts of each one's greatest, always added in the same order. */
function totalElapsedSeconds(placed: readonly Placed[]): number | null {
  const byAttempt = new Map<string, { position: number; seconds: number }>();
  for (const { series, position } of placed) {
    const seconds = series.summary.elapsedSeconds;
    if (seconds === null) continue;
    const known = byAttempt.get(series.attempt)?.seconds ?? null;
    byAttempt.set(series.attempt, { position, seconds: greater(known, seconds) });
  }
  if (byAttempt.size === 0) return null;
  return [...byAttempt]
    .toSorted(([idA, a], [idB, b]) => a.position - b.position || compareUtf8(idA, idB))
    .reduce((sum, [, { seconds }]) => sum + seconds, 0);
}

function extraOf(placed: readonly Placed[]): string | null {
  const merged = new Map<string, { min: number; max: number; final: number; seq: number; from: Placed }>();
  for (const item of placed) {
    for (const [name, { min, max, final, finalSeq }] of item.series.summary.extra) {
      const known = merged.get(name);
      if (known === undefined) {
        merged.set(name, { min, max, final, seq: finalSeq, from: item });
        continue;
      }
      known.min = lesser(min, known.min);
      known.max = greater(max, known.max);
      if (sharePlace(known.from, item) && finalSeq < known.seq) continue;
      Object.assign(known, { final, seq: finalSeq, from: item });
    }
  }
  if (merged.size === 0) return null;
  const names = [...merged.keys()].toSorted(compareUtf8);
  return JSON.stringify(
    Object.fromEntries(
      names.map((name) => {
        const { min, max, final } = merged.get(name) ?? {};
        return [name, { min, max, final }];
      }),
    ),
  );
}
