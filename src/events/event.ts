// The ten event types of version 1, as types; what they hold is written in event-schemas.ts, once.
import type { z } from 'zod';
import type { EventSchemas } from './event-schemas.ts';

export const FORMAT_VERSION = 1;

export const EVENT_TYPES = [
  'writer_opened',
  'run_created',
  'status_changed',
  'metric',
  'result',
  'error',
  'slurm_info',
  'run_annotated',
  'resource_sample',
  'writer_closed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export const RUN_STATUSES = ['pending', 'running', 'completed', 'failed', 'timeout'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** The metrics that have a column, `best_X` and `final_X`; for `loss` best is lowest, for the others highest. */
export const NAMED_METRICS = ['loss', 'f1', 'fitness', 'behavioral_comparison'] as const;
export type NamedMetric = (typeof NAMED_METRICS)[number];

export type NonFinite = 'NaN' | 'Infinity' | '-Infinity';
export type Measure = number | NonFinite;
export type JsonObject = Readonly<Record<string, unknown>>;

export function isNonFinite(value: unknown): value is NonFinite {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

export function isMeasure(value: unknown): value is Measure {
  return typeof value === 'number' ? Number.isFinite(value) : isNonFinite(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNamedMeasures(value: unknown): value is Record<string, Measure | null> {
  if (!isObject(value)) return false;
  // Object.keys, because a record schema would pass over a key named __proto__ unchecked
  for (const name of Object.keys(value)) {
    const measure = value[name];
    if (measure !== null && !isMeasure(measure)) return false;
  }
  return true;
}

export const RUN_ID = /^[0-9a-hjkmnp-tv-z]{16}$/;

export type EventOf<T extends EventType> = z.infer<EventSchemas[T]>;
export type Event = { [T in EventType]: EventOf<T> }[EventType];

/** An event that names a run. */
export type RunEvent = Exclude<Event, EventOf<'writer_opened'> | EventOf<'writer_closed'>>;

const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

export function isEventType(type: string): type is EventType {
  return TYPES.has(type);
}
