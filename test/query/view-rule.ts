// The points of a run and its view, computed the slow way from the words of docs/projection.md.
import type { MetricPoint } from '../../src/query/index.ts';
import { compareText, type Event } from '../model/model-files.ts';

export interface Expected {
  event: Event;
  superseded: boolean;
}

/** All points of a run in order, with whether each is out of the view. */
export function pointsByTheRule(events: readonly Event[], run: string): Expected[] {
  const ofRun = events.filter((event) => event.run === run);
  const starts = ofRun
    .filter((event) => event.type === 'run_created')
    .toSorted((a, b) => compareText(a.ts, b.ts) || compareText(a.writer, b.writer) || a.seq - b.seq);
  const firsts = starts.filter((event, i) => starts.findIndex((e) => e.attempt === event.attempt) === i);
  const attempts = firsts.toSorted((a, b) => compareText(a.ts, b.ts) || compareText(a.attempt, b.attempt));
  const viewStart = Math.max(
    0,
    attempts.findLastIndex((event) => event.fields['resume'] !== true),
  );

  const points = ofRun.filter((event) => event.type === 'metric');
  const placeOf = (event: Event): number => {
    const place = attempts.findIndex((start) => start.attempt === event.attempt);
    return place === -1 ? attempts.length : place;
  };
  const isSuperseded = (point: Event): boolean => {
    const place = placeOf(point);
    if (place === attempts.length) return false;
    if (place < viewStart) return true;
    const axis = typeof point.fields['step'] === 'number' ? 'step' : 'epoch';
    const at = point.fields[axis];
    if (typeof at !== 'number') return false;
    // some point of a later attempt is at or below it: the same as the lowest of them
    return points.some((other) => {
      const its = other.fields[axis];
      const later = placeOf(other);
      return later > place && later < attempts.length && typeof its === 'number' && its <= at;
    });
  };
  return points
    .toSorted((a, b) => placeOf(a) - placeOf(b) || compareText(a.writer, b.writer) || a.seq - b.seq)
    .map((event) => ({ event, superseded: isSuperseded(event) }));
}

function number(value: unknown): number | null {
  return value === undefined || value === null ? null : Number(value);
}

export function pointOf({ event, superseded }: Expected): MetricPoint {
  const named = event.fields['extra'];
  const values = typeof named === 'object' && named !== null ? Object.entries(named) : [];
  return {
    run_id: event.run,
    writer: event.writer,
    seq: event.seq,
    ts: event.ts,
    elapsed_seconds: Number(event.fields['elapsed_seconds']),
    epoch: number(event.fields['epoch']),
    step: number(event.fields['step']),
    loss: number(event.fields['loss']),
    f1: null,
    fitness: null,
    behavioral_comparison: null,
    gpu_memory_mb: number(event.fields['gpu_memory_mb']),
    extra:
      values.length === 0 ? null : Object.fromEntries(values.map(([name, value]) => [name, Number(value)])),
    attempt: event.attempt,
    superseded,
  };
}

/** `toEqual` would not see an own `__proto__`. */
export function comparable(points: readonly MetricPoint[]): unknown[] {
  return points.map((point) => ({
    ...point,
    extra: point.extra === null ? null : new Map(Object.entries(point.extra)),
  }));
}
