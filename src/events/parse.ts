// One line of bytes -> an event, an unknown type or a reason. Never throws, whatever the bytes.
import { isUtf8 } from 'node:buffer';
import { FORMAT_VERSION, isEventType, type Event, type EventOf } from './event.ts';
import { describeIssues } from './describe-issue.ts';
import { eventSchemas } from './event-schemas.ts';
import { exceedsDepth } from './depth.ts';
import { plainMetric } from './plain-metric.ts';
import type { RejectCode } from './reject-codes.ts';
import { hashKey } from './run-id.ts';
import { normalizeTimestamp } from './timestamp.ts';
import { mayHoldLoneSurrogate, wellFormed } from './well-formed.ts';
import { messageOf } from '../errors.ts';

export const MAX_LINE_BYTES = 1_048_576;
export const MAX_DEPTH = 64;

export type ParsedLine =
  | { kind: 'event'; event: Event }
  /** A type of a newer release: counted, left where it is. `seq` is null if it has no valid one. */
  | { kind: 'unknown'; type: string; seq: number | null }
  /** A header of another format version: the file is not read on. */
  | { kind: 'other_format'; format: number }
  | Rejected;

export interface Rejected {
  kind: 'rejected';
  code: RejectCode;
  message: string;
}

export function rejected(code: RejectCode, message: string): Rejected {
  return { kind: 'rejected', code, message };
}

/** Parses one line, without its LF and the CR before that. */
export function parseLine(bytes: Buffer): ParsedLine {
  if (bytes.length > MAX_LINE_BYTES) {
    return rejected('too_long', `line of ${bytes.length} bytes; at most ${MAX_LINE_BYTES} are read`);
  }
  if (bytes.includes(0)) return rejected('nul_hole', 'line holds a NUL byte');
  if (hasByteOrderMark(bytes)) return rejected('byte_order_mark', 'line begins with a byte order mark');
  if (!isUtf8(bytes)) return rejected('invalid_utf8', 'line is not valid UTF-8');
  return parseText(bytes.toString('utf8'));
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** `parseLine` for a line whose bytes are known to be short enough, without NUL and valid UTF-8. */
export function parseText(text: string): ParsedLine {
  if (text.charCodeAt(0) === 0xfe_ff)
    return rejected('byte_order_mark', 'line begins with a byte order mark');
  if (exceedsDepth(text, MAX_DEPTH)) return rejected('too_deep', `nested more than ${MAX_DEPTH} deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return rejected('not_json', messageOf(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return rejected('not_an_object', `a JSON ${jsonType(value)} where an object belongs`);
  }
  return parseObject(value as Record<string, unknown>, mayHoldLoneSurrogate(text));
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function parseObject(raw: Record<string, unknown>, mayBeIllFormed: boolean): ParsedLine {
  const type = raw['type'];
  if (typeof type !== 'string') {
    return rejected('bad_type', type === undefined ? 'no field "type"' : `"type" is a ${jsonType(type)}`);
  }
  if (!isEventType(type)) return { kind: 'unknown', type, seq: validSeq(raw['seq']) };

  const { format } = raw;
  if (type === 'writer_opened' && Number.isSafeInteger(format) && format !== FORMAT_VERSION) {
    return { kind: 'other_format', format: format as number };
  }
  if (mayBeIllFormed) {
    const problem = type === 'run_created' ? illFormedKey(raw) : undefined;
    if (problem !== undefined) return rejected('bad_field', problem);
    raw = wellFormed(raw) as Record<string, unknown>;
  }
  const plain = type === 'metric' ? plainMetric(raw) : undefined;
  if (plain !== undefined) return finish(plain);
  const result = eventSchemas()[type].safeParse(raw);
  if (!result.success) return rejected('bad_field', describeIssues(result.error.issues, raw));
  return finish(result.data);
}

function validSeq(seq: unknown): number | null {
  return typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 1 ? seq : null;
}

function illFormedKey(raw: Record<string, unknown>): string | undefined {
  for (const name of ['dataset', 'method', 'subject', 'cl_info']) {
    const value = raw[name];
    if (typeof value === 'string' && !value.isWellFormed()) return `${name} holds a lone surrogate`;
  }
  return undefined;
}

/** What a schema of one field cannot say: times in one form, the key's hash, who must name an attempt. */
function finish(event: Event): ParsedLine {
  const ts = normalizeTimestamp(event.ts);
  if (ts === undefined) return rejected('bad_field', `ts is not an RFC 3339 time: ${excerpt(event.ts)}`);
  event.ts = ts;

  switch (event.type) {
    case 'run_created': {
      const expected = hashKey({
        experiment_number: event.experiment_number,
        dataset: event.dataset,
        method: event.method,
        subject: event.subject ?? null,
        cl_info: event.cl_info ?? null,
        seed: event.seed ?? null,
      });
      if (expected !== event.run_id) {
        return rejected('run_id_mismatch', `the key hashes to ${expected}, not to ${event.run_id}`);
      }
      break;
    }
    case 'status_changed':
      if (event.source === 'slurm' && isAbsent(event.attempt)) return missingAttempt('slurm');
      break;
    case 'slurm_info': {
      const problem = normalizeSlurmTimes(event);
      if (problem !== undefined) return rejected('bad_field', problem);
      if (event.source !== 'env' && isAbsent(event.attempt)) return missingAttempt(event.source);
      break;
    }
    case 'writer_opened':
    case 'metric':
    case 'result':
    case 'error':
    case 'run_annotated':
    case 'resource_sample':
    case 'writer_closed':
      break;
  }
  return { kind: 'event', event };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function missingAttempt(source: string): Rejected {
  return rejected('missing_attempt', `an event of source ${source} must name its attempt`);
}

function normalizeSlurmTimes(event: EventOf<'slurm_info'>): string | undefined {
  for (const name of ['submitted_at', 'started_at', 'ended_at'] as const) {
    const value = event[name];
    if (value === undefined || value === null) continue;
    const ts = normalizeTimestamp(value);
    if (ts === undefined) return `${name} is not an RFC 3339 time: ${excerpt(value)}`;
    event[name] = ts;
  }
  return undefined;
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
