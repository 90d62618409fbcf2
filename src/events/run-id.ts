// A run's id is computed from its key by whoever needs it; nobody hands it out.
import { createHash } from 'node:crypto';
import { RunfoldError } from '../errors.ts';

/** The cell of the experiment that a run is. `subject`, `cl_info` and `seed` may be null. */
export interface RunKey {
  experiment_number: number;
  dataset: string;
  method: string;
  subject: string | null;
  cl_info: string | null;
  seed: number | null;
}

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The first 10 bytes of SHA-256 over the UTF-8 of
 * `JSON.stringify([experiment_number, dataset, method, subject, cl_info, seed])`
 * in lower-case Crockford base32: 16 characters.
 *
 * @throws RunfoldError `invalid_key` if a field has a wrong type, is an unsafe integer or holds a lone surrogate.
 */
export function runId(key: RunKey): string {
  const problem = keyProblem(key);
  if (problem !== undefined) throw new RunfoldError('invalid_key', problem);
  return hashKey(key);
}

/** `runId` without the checks, for a key that has been validated. */
export function hashKey(key: RunKey): string {
  return hashText(keyText(key));
}

/** The text of a key that is hashed. */
export function keyText({ experiment_number, dataset, method, subject, cl_info, seed }: RunKey): string {
  return JSON.stringify([experiment_number, dataset, method, subject, cl_info, seed]);
}

export function hashText(text: string): string {
  const digest = createHash('sha256').update(text, 'utf8').digest();
  return base32(digest.subarray(0, 10));
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += CROCKFORD.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return text;
}

export function isRunKey(key: Readonly<Record<keyof RunKey, unknown>>): key is RunKey {
  return keyProblem(key) === undefined;
}

function keyProblem(key: Readonly<Record<keyof RunKey, unknown>>): string | undefined {
  const { experiment_number, dataset, method, subject, cl_info, seed } = key;
  if (!Number.isSafeInteger(experiment_number)) {
    return `experiment_number must be a whole number within ±(2^53−1), not ${shown(experiment_number)}`;
  }
  if (seed !== null && !Number.isSafeInteger(seed)) {
    return `seed must be a whole number within ±(2^53−1) or null, not ${shown(seed)}`;
  }
  for (const [name, value] of Object.entries({ dataset, method, subject, cl_info })) {
    const mayBeNull = name === 'subject' || name === 'cl_info';
    if (value === null && mayBeNull) continue;
    if (typeof value !== 'string') return `${name} must be a string${mayBeNull ? ' or null' : ''}`;
    if (!value.isWellFormed()) return `${name} holds a lone surrogate, which UTF-8 cannot carry`;
  }
  return undefined;
}

/** JavaScript callers may hand in anything, also what cannot be made a string. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}
