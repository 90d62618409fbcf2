// The options of a run -> its key, its id and what its run_created says.
import path from 'node:path';
import canonicalize from 'canonicalize';
import { RunfoldError } from '../errors.ts';
import { toJsonObject } from './json-safe.ts';
import { runId, type RunKey } from './run-id.ts';

/**
 * All are optional; the first group is the key, which tells runs apart. A logger below `runfold exec` takes what is left
 * out of it from there, so that it logs that run; null is not left out.
 */
export interface RunOptions {
  /** A whole number; default 1. */
  experiment_number?: number | undefined;
  /** The same as `experiment_number`. */
  experimentNumber?: number | undefined;
  /** Default `default`. */
  dataset?: string | undefined;
  /** Default the name of the script without its ending. */
  method?: string | undefined;
  subject?: string | null | undefined;
  /**
   * Whatever else makes it a different run: variant, fold, hyperparameters. A string, or an object, of which the
   * RFC 8785 form is taken.
   */
  clInfo?: string | object | null | undefined;
  /** The same as `clInfo`. */
  variant?: string | object | null | undefined;
  /** A whole number. */
  seed?: number | null | undefined;
  /** Names of values in `config` that belong to the key too: without them a sweep would be one run. */
  keyFromConfig?: readonly string[] | undefined;

  /** Anything that becomes a JSON object. */
  config?: object | undefined;
  tags?: readonly string[] | undefined;
  notes?: string | undefined;
  /** True if this goes on from a checkpoint; default false, it starts over. */
  resume?: boolean | undefined;

  /** The ledger's directory; default `RUNFOLD_DIR`, else the nearest `.runfold/` upwards. */
  ledger?: string | undefined;
  /** True to log from all ranks of a parallel launch; default rank 0 only. */
  allRanks?: boolean | undefined;
  /**
   * True if the processes of the launch have a run each, so that the rank is nothing; default what
   * `RUNFOLD_INDEPENDENT` says.
   */
  independent?: boolean | undefined;
  /** The id of this execution; default `RUNFOLD_ATTEMPT`, else one that nobody has. */
  attempt?: string | undefined;
  /** Signals, besides SIGTERM, whose arrival is recorded as the end, such as SIGINT. */
  signals?: readonly NodeJS.Signals[] | undefined;
}

export interface ResolvedRun {
  runId: string;
  key: RunKey;
  config: Readonly<Record<string, unknown>> | undefined;
  tags: string[] | undefined;
  notes: string | undefined;
  resume: true | undefined;
}

const OPTION_NAMES: Readonly<Record<keyof RunOptions, true>> = {
  experiment_number: true,
  experimentNumber: true,
  dataset: true,
  method: true,
  subject: true,
  clInfo: true,
  variant: true,
  seed: true,
  keyFromConfig: true,
  config: true,
  tags: true,
  notes: true,
  resume: true,
  ledger: true,
  allRanks: true,
  independent: true,
  attempt: true,
  signals: true,
};

/**
 * @param script path of the running program, whose stem is the default method
 * @param started the key that the program was started with, from which what is left out is taken
 * @throws RunfoldError `invalid_key` if a field of the key is wrong; `usage` if an option has no such name, since
 *   a misspelled key field would make two runs one
 */
export function resolveRun(options: RunOptions, script: string | undefined, started?: RunKey): ResolvedRun {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTION_NAMES, name)) continue;
    throw new RunfoldError('usage', `a run has no option "${name}"`, {
      hint: `The options are ${Object.keys(OPTION_NAMES).join(', ')}.`,
    });
  }
  const config = options.config === undefined ? undefined : toJsonObject(options.config);
  const left = started ?? { ...DEFAULTS, method: stem(script) };
  const { subject = left.subject, seed = left.seed } = options;
  const key: RunKey = {
    experiment_number:
      one('experiment_number', options.experiment_number, 'experimentNumber', options.experimentNumber) ??
      left.experiment_number,
    dataset: options.dataset ?? left.dataset,
    method: options.method ?? left.method,
    subject,
    cl_info: saysClInfo(options) ? clInfoOf(options, config) : left.cl_info,
    seed,
  };
  return {
    runId: runId(key),
    key,
    config,
    tags: Array.isArray(options.tags) ? options.tags.filter((tag) => typeof tag === 'string') : undefined,
    notes: typeof options.notes === 'string' ? options.notes : undefined,
    resume: options.resume === true ? true : undefined,
  };
}

const DEFAULTS = { experiment_number: 1, dataset: 'default', subject: null, cl_info: null, seed: null };

function saysClInfo({ clInfo, variant, keyFromConfig = [] }: RunOptions): boolean {
  return clInfo !== undefined || variant !== undefined || keyFromConfig.length > 0;
}

function stem(script: string | undefined): string {
  // a program typed in, as with node -e
  if (script === undefined || script === '') return 'node';
  return path.parse(script).name;
}

function one<T>(name: string, value: T | undefined, alias: string, other: T | undefined): T | undefined {
  if (value !== undefined && other !== undefined && value !== other) {
    throw new RunfoldError('invalid_key', `${name} and ${alias} are the same and have different values`);
  }
  return value ?? other;
}

function clInfoOf(options: RunOptions, config: Readonly<Record<string, unknown>> | undefined): string | null {
  const given: unknown = one('clInfo', options.clInfo, 'variant', options.variant) ?? null;
  const names = options.keyFromConfig ?? [];
  if (names.length === 0)
    return given === null || typeof given === 'string' ? given : canonical(clInfoObject(given));

  const fromConfig = names.map((name): [string, unknown] => {
    const value = config !== undefined && Object.hasOwn(config, name) ? config[name] : undefined;
    if (value !== undefined) return [name, value];
    throw new RunfoldError('invalid_key', `keyFromConfig names "${name}", which config does not have`);
  });
  // fromEntries defines own properties, so that a key named __proto__ is data
  return canonical(Object.fromEntries([...Object.entries(startingWith(given)), ...fromConfig]));
}

function startingWith(given: unknown): object {
  if (given === null) return {};
  return typeof given === 'string' ? { variant: given } : clInfoObject(given);
}

function clInfoObject(given: unknown): object {
  const object = toJsonObject(given);
  if (object !== undefined) return object;
  throw new RunfoldError(
    'invalid_key',
    `clInfo must be a string or an object with names, not of type ${Array.isArray(given) ? 'array' : typeof given}`,
  );
}

function canonical(object: object): string {
  if (holdsLoneSurrogate(object)) {
    throw new RunfoldError('invalid_key', 'clInfo holds a lone surrogate, which UTF-8 cannot carry');
  }
  return canonicalize(object) ?? '{}';
}

function holdsLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => !name.isWellFormed() || holdsLoneSurrogate(inner));
}
