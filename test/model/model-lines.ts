/**
 * The model, part 1: bytes -> lines -> what one line is by itself, whatever else its file has
 * (rules 1 to 11 of "Which lines are valid" in docs/projection.md). Written from docs/events.md and
 * projection.md alone; it shares nothing with src/, or it could not disagree with it.
 */
import { createHash } from 'node:crypto';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface Line {
  offset: number;
  /** with the LF, and the CR before it */
  length: number;
  /** without them */
  content: Buffer;
}

/** The fields of a known type that were read, normalised; an absent one is null. */
export interface LineEvent {
  type: string;
  fields: JsonObject;
}

export type Verdict =
  | { kind: 'nothing' }
  | { kind: 'unknown' }
  | { kind: 'hole' }
  | { kind: 'other_format' }
  | { kind: 'rejected'; code: string }
  | { kind: 'valid'; event: LineEvent };

const LF = 10;
const CR = 13;
const MAX_LINE_BYTES = 1_048_576;
const MAX_DEPTH = 64;

/** A trailing part without LF is not a line. */
export function splitLines(bytes: Uint8Array): Line[] {
  const all = Buffer.from(bytes);
  const lines: Line[] = [];
  let offset = 0;
  for (;;) {
    const lf = all.indexOf(LF, offset);
    if (lf === -1) return lines;
    const end = lf > offset && all[lf - 1] === CR ? lf - 1 : lf;
    lines.push({ offset, length: lf + 1 - offset, content: all.subarray(offset, end) });
    offset = lf + 1;
  }
}

export function judge(content: Buffer): Verdict {
  if (content.length === 0) return { kind: 'nothing' };
  // Looked at before the length: a hole may hide the LFs of many lines.
  if (content.includes(0)) return { kind: 'hole' };
  if (content.length > MAX_LINE_BYTES) return rejected('too_long');
  if (content.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) return rejected('byte_order_mark');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return rejected('invalid_utf8');
  }
  if (deepest(text) > MAX_DEPTH) return rejected('too_deep');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return rejected('not_json');
  }
  if (!isObject(value)) return rejected('not_an_object');
  const type = own(value, 'type');
  if (typeof type !== 'string') return rejected('bad_type');
  const schema = SCHEMA.get(type);
  if (schema === undefined) return { kind: 'unknown' };
  // Of a line of another format nothing but its type and format is looked at: we do not know its fields.
  if (type === 'writer_opened') {
    const format = own(value, 'format');
    if (Number.isSafeInteger(format) && format !== 1) return { kind: 'other_format' };
  }
  let fields: JsonObject;
  try {
    fields = readFields(value, schema);
  } catch (error) {
    if (error instanceof BadField) return rejected('bad_field');
    throw error;
  }
  if (type === 'run_created' && runIdOf(fields) !== fields['run_id']) return rejected('run_id_mismatch');
  const source = fields['source'] ?? null;
  if ((source === 'slurm' || source === 'squeue' || source === 'sacct') && fields['attempt'] === null) {
    return rejected('missing_attempt');
  }
  return { kind: 'valid', event: { type, fields } };
}

function rejected(code: string): Verdict {
  return { kind: 'rejected', code };
}

/**
 * How deep objects and arrays are nested. Text that is no JSON at all is measured the same way (brackets
 * outside of strings), since the rule comes before not_json.
 */
function deepest(text: string): number {
  let depth = 0;
  let max = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (inString) {
      if (c === '\\') i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '{' || c === '[') {
      depth += 1;
      max = Math.max(max, depth);
    } else if (c === '}' || c === ']') depth -= 1;
  }
  return max;
}

/** `null` is the same as absent; what every object inherits is no field. */
function own(object: JsonObject, key: string): Json {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without a prototype `__proto__` is a key like any other. */
export function emptyObject(): JsonObject {
  return Object.create(null) as JsonObject;
}

// ---- fields: each check gives the normalised value or throws

class BadField extends Error {}

type Check = (value: Json) => Json;
interface Schema {
  need: Record<string, Check>;
  may: Record<string, Check>;
}

function readFields(line: JsonObject, schema: Schema): JsonObject {
  const fields = emptyObject();
  for (const [name, check] of Object.entries(schema.need)) {
    const value = own(line, name);
    if (value === null) throw new BadField(name);
    fields[name] = check(value);
  }
  for (const [name, check] of Object.entries(schema.may)) {
    const value = own(line, name);
    fields[name] = value === null ? null : check(value);
  }
  return fields;
}

/** With the u flag a pair is one code point, so only lone surrogates match. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

const string: Check = (value) => {
  if (typeof value !== 'string') throw new BadField();
  return value.replace(LONE_SURROGATE, '\ufffd');
};

const keyString: Check = (value) => {
  if (typeof value !== 'string' || string(value) !== value) throw new BadField();
  return value;
};

function matching(pattern: RegExp): Check {
  return (value) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new BadField();
    return value;
  };
}

function oneOf(...names: string[]): Check {
  return (value) => {
    if (typeof value !== 'string' || !names.includes(value)) throw new BadField();
    return value;
  };
}

const boolean: Check = (value) => {
  if (typeof value !== 'boolean') throw new BadField();
  return value;
};

const finite: Check = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new BadField();
  return value === 0 ? 0 : value; // -0 is 0
};

const integer: Check = (value) => {
  if (!Number.isSafeInteger(value)) throw new BadField();
  return finite(value);
};

const fromOne: Check = (value) => {
  const n = integer(value);
  if (typeof n !== 'number' || n < 1) throw new BadField();
  return n;
};

const formatOne: Check = (value) => {
  if (value !== 1) throw new BadField();
  return 1;
};

/** SLURM's ids may come as integers; they are kept as decimal strings. */
const slurmId: Check = (value) => (typeof value === 'number' ? String(integer(value)) : string(value));

/** A number, or the name of one that is not finite. */
const metricValue: Check = (value) => (typeof value === 'string' ? nonFinite(value) : finite(value));
const nonFinite: Check = oneOf('NaN', 'Infinity', '-Infinity');

/** Data of the user's own shape. A null inside it is data: "null is absent" is about fields of the line. */
const data: Check = (value) => {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'string') return string(value);
  if (Array.isArray(value)) return value.map(data);
  const copy = emptyObject();
  // Two keys that become equal by U+FFFD are duplicate keys: the last wins, at the place of the first.
  for (const [key, item] of Object.entries(value)) copy[key.replace(LONE_SURROGATE, '\ufffd')] = data(item);
  return copy;
};

const dataObject: Check = (value) => {
  if (!isObject(value)) throw new BadField();
  return data(value);
};

const strings: Check = (value) => {
  if (!Array.isArray(value)) throw new BadField();
  return value.map(string);
};

const extraMetrics: Check = (value) => {
  if (!isObject(value)) throw new BadField();
  const copy = emptyObject();
  for (const [key, item] of Object.entries(value)) {
    // An extra metric that is null is absent, as a metric with a column of its own would be.
    if (item !== null) copy[key.replace(LONE_SURROGATE, '\ufffd')] = metricValue(item);
  }
  return copy;
};

/** A nested object whose fields have names; unknown ones in it are ignored as they are in the line itself. */
function nested(schema: Schema): Check {
  return (value) => {
    if (!isObject(value)) throw new BadField();
    return readFields(value, schema);
  };
}

/** T and Z in either case as in RFC 3339's grammar; the space that a note in it mentions is not taken. */
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/i;

const time: Check = (value) => {
  const m = typeof value === 'string' ? RFC_3339.exec(value) : null;
  if (m === null) throw new BadField();
  const [year, month, day, hour, minute, second] = [m[1], m[2], m[3], m[4], m[5], m[6]].map(Number);
  const [offsetHour, offsetMinute] = [Number(m[9] ?? 0), Number(m[10] ?? 0)];
  if (year === undefined || month === undefined || day === undefined) throw new BadField();
  if (hour === undefined || minute === undefined || second === undefined) throw new BadField();
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) throw new BadField();
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) throw new BadField();
  const milliseconds = Number(`${m[7] ?? ''}000`.slice(0, 3)); // cut, not rounded
  const offset = (m[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC would take the year 26 for 1926
  // Second 60 and the offset carry over into minutes, hours, days and the year.
  date.setUTCHours(hour, minute - offset, second, milliseconds);
  if (date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999) throw new BadField();
  return date.toISOString();
};

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const RUN_ID = /^[0-9a-hjkmnp-tv-z]{16}$/;

const EVERY_LINE: Schema = { need: { ts: time }, may: { seq: fromOne, attempt: string } };

/** `run_id` on a line of type writer_* is an unknown field, and ignored. */
function ofWriter(need: Record<string, Check>): Schema {
  return { need: { ...EVERY_LINE.need, ...need }, may: EVERY_LINE.may };
}

function ofRun(need: Record<string, Check>, may: Record<string, Check>): Schema {
  return {
    need: { ...EVERY_LINE.need, run_id: matching(RUN_ID), ...need },
    may: { ...EVERY_LINE.may, ...may },
  };
}

/** A Map, so that types like "constructor" are unknown. */
const SCHEMA: ReadonlyMap<string, Schema> = new Map([
  [
    'writer_opened',
    ofWriter({
      format: formatOne,
      writer: matching(ULID),
      origin: matching(/^[A-Za-z0-9._-]{1,64}$/),
      host: string,
      pid: integer,
      user: string,
      client: nested({ need: { name: string, version: string }, may: {} }),
    }),
  ],
  ['writer_closed', ofWriter({ events: integer })],
  [
    'run_created',
    ofRun(
      { experiment_number: integer, dataset: keyString, method: keyString },
      {
        subject: keyString,
        cl_info: keyString,
        seed: integer,
        config: dataObject,
        tags: strings,
        notes: string,
        resume: boolean,
        code: nested({
          need: {},
          may: { git_commit: string, git_dirty: boolean, command: string, cwd: string },
        }),
      },
    ),
  ],
  [
    'status_changed',
    ofRun(
      { status: oneOf('pending', 'running', 'completed', 'failed', 'timeout') },
      { exit_code: integer, reason: string, source: oneOf('job', 'wrapper', 'slurm') },
    ),
  ],
  [
    'metric',
    ofRun(
      { elapsed_seconds: finite },
      {
        epoch: integer,
        step: integer,
        loss: metricValue,
        f1: metricValue,
        fitness: metricValue,
        behavioral_comparison: metricValue,
        gpu_memory_mb: metricValue,
        extra: extraMetrics,
      },
    ),
  ],
  ['result', ofRun({ results: dataObject }, {})],
  ['error', ofRun({ exception_type: string, message: string }, { traceback: string })],
  [
    'slurm_info',
    ofRun(
      { job_id: slurmId, source: oneOf('env', 'squeue', 'sacct') },
      {
        array_job_id: slurmId,
        array_task_id: slurmId,
        restart_count: integer,
        state: string,
        reason: string,
        partition: string,
        account: string,
        node_list: string,
        cpus: integer,
        gpus: integer,
        memory_mb: finite,
        time_limit_seconds: finite,
        submitted_at: time,
        started_at: time,
        ended_at: time,
        exit_code: integer,
        signal: integer,
        max_rss_mb: finite,
        cpu_seconds: finite,
        stdout_path: string,
        stderr_path: string,
      },
    ),
  ],
  ['run_annotated', ofRun({}, { tags: strings, notes: string, hidden: boolean })],
  [
    'resource_sample',
    ofRun(
      { elapsed_seconds: finite },
      { cpu_percent: finite, rss_mb: finite, gpu_percent: finite, gpu_memory_mb: finite },
    ),
  ],
]);

// ---- the id of a run

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The first 10 bytes of the hash are 80 bits, 16 characters of 5 bits, the highest bits first. */
function runIdOf(f: JsonObject): string {
  const key = [f['experiment_number'], f['dataset'], f['method'], f['subject'], f['cl_info'], f['seed']];
  const hash = createHash('sha256').update(JSON.stringify(key), 'utf8').digest('hex');
  let rest = BigInt(`0x${hash.slice(0, 20)}`);
  let id = '';
  for (let i = 0; i < 16; i += 1) {
    id = CROCKFORD.charAt(Number(rest % 32n)) + id;
    rest /= 32n;
  }
  return id.toLowerCase();
}

/** The first 10 characters of a ULID are milliseconds. */
export function dayOfUlid(ulid: string): string {
  let milliseconds = 0;
  for (const c of ulid.slice(0, 10)) milliseconds = milliseconds * 32 + CROCKFORD.indexOf(c);
  // Past the year 9999 this is "+010889-08-02", as ISO 8601 has it; nobody's ULIDs are.
  return new Date(milliseconds).toISOString().replace(/T.*$/, '');
}
