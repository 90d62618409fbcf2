// Lines of one kind differ in their numbers and time alone: the rest is compared, which is quicker than parsing it.
import { normalizeTimestamp } from '../events/timestamp.ts';

/** The numbers of a metric, in the order in which a shape gives them. */
export const NUMBER_FIELDS = [
  'elapsed_seconds', 'seq', 'epoch', 'step', 'loss', 'f1', 'fitness', 'behavioral_comparison', 'gpu_memory_mb',
] as const; // prettier-ignore

export const SEQ = NUMBER_FIELDS.indexOf('seq');
export const EPOCH = NUMBER_FIELDS.indexOf('epoch');
export const STEP = NUMBER_FIELDS.indexOf('step');
/** The first of NAMED_METRICS, in their order. */
export const LOSS = NUMBER_FIELDS.indexOf('loss');
export const GPU_MEMORY = NUMBER_FIELDS.indexOf('gpu_memory_mb');

/** A slot that is not the index of a number. */
export const TS = -1;
export const EXTRA = -2;
export const TS_LENGTH = 24;

/** Of JSON that is valid and has no escapes. */
const TOKENS = /"[^"]*"|-?\d[\d.eE+-]*|[a-z]+|[{}[\]:,]/g;

export interface LineShape {
  /** One more than slots: what is before each, and after the last one. */
  literals: readonly Uint8Array[];
  /** Indices of NUMBER_FIELDS, TS, EXTRA. */
  slots: readonly number[];
  /** What is before each value in the JSON of `extra`. */
  extraPieces: readonly Uint8Array[];
}

/**
 * The shape of a line that is a valid metric with finite values; undefined if there may be more in it than numbers can
 * make different.
 *
 * @param extraNames the names of its `extra`, in the order of its keys
 */
export function shapeOf(line: string, extraNames: readonly string[]): LineShape | undefined {
  if (line.includes('\\')) return undefined;
  const literals: Uint8Array[] = [];
  const slots: number[] = [];
  const keys = new Set<string>();
  const names: string[] = [];
  let depth = 0;
  let key = '';
  let isValue = false;
  let from = 0;
  for (const { 0: token, index } of line.matchAll(TOKENS)) {
    if (token === ':' || token === ',') isValue = token === ':';
    else if (token === '{') {
      if (depth > 1 || (depth === 1 && key !== 'extra')) return undefined;
      depth += 1;
      isValue = false;
    } else if (token === '}') depth -= 1;
    else if (token === '[') return undefined;
    else if (!isValue) {
      key = token.slice(1, -1);
      if (depth > 1) names.push(key);
      // of several the last counts, which is not worth telling apart
      else if (keys.has(key)) return undefined;
      else keys.add(key);
    } else {
      const slot = slotOf(token, key, depth);
      if (slot === undefined) continue;
      const at = slot === TS ? index + 1 : index;
      literals.push(Buffer.from(line.slice(from, at)));
      slots.push(slot);
      from = at + (slot === TS ? TS_LENGTH : token.length);
    }
  }
  literals.push(Buffer.from(line.slice(from)));
  const isComplete = slots.includes(TS) && isEqual(names, extraNames);
  if (!isComplete) return undefined;
  const extraPieces = names.map((name, nth) =>
    Buffer.from(`${nth === 0 ? '{' : ','}${JSON.stringify(name)}:`),
  );
  return { literals, slots, extraPieces };
}

function slotOf(token: string, key: string, depth: number): number | undefined {
  if (depth > 1) return EXTRA;
  if (key === 'ts') return normalizeTimestamp(token.slice(1, -1)) === token.slice(1, -1) ? TS : undefined;
  const number = (NUMBER_FIELDS as readonly string[]).indexOf(key);
  return number === -1 || token === 'null' ? undefined : number;
}

export function isEqual(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
