// The commonest line by far, known as valid without the schema: ten times as fast, and of the same outcome.
import type { EventOf, Measure } from './event.ts';
import { isMeasure, isNamedMeasures, RUN_ID } from './event.ts';

/** The event, if every field is plainly as the schema has it; undefined if the schema has to decide. */
export function plainMetric(raw: Readonly<Record<string, unknown>>): EventOf<'metric'> | undefined {
  const { ts, seq, run_id, attempt, elapsed_seconds, epoch, step, extra } = raw;
  const { loss, f1, fitness, behavioral_comparison, gpu_memory_mb } = raw;
  const isPlain =
    typeof ts === 'string' &&
    isAbsentOrInteger(seq) &&
    (seq == null || seq >= 1) &&
    typeof run_id === 'string' &&
    RUN_ID.test(run_id) &&
    (attempt == null || typeof attempt === 'string') &&
    typeof elapsed_seconds === 'number' &&
    Number.isFinite(elapsed_seconds) &&
    isAbsentOrInteger(epoch) &&
    isAbsentOrInteger(step) &&
    isAbsentOrMeasure(loss) &&
    isAbsentOrMeasure(f1) &&
    isAbsentOrMeasure(fitness) &&
    isAbsentOrMeasure(behavioral_comparison) &&
    isAbsentOrMeasure(gpu_memory_mb) &&
    (extra == null || isNamedMeasures(extra));
  if (!isPlain) return undefined;
  return {
    type: 'metric', ts, seq, run_id, attempt, elapsed_seconds, epoch, step, loss, f1, fitness,
    behavioral_comparison, gpu_memory_mb, extra,
  }; // prettier-ignore
}

function isAbsentOrInteger(value: unknown): value is number | null | undefined {
  return value == null || Number.isSafeInteger(value);
}

function isAbsentOrMeasure(value: unknown): value is Measure | null | undefined {
  return value == null || isMeasure(value);
}
