// The files of conformance/, as values.
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const CONFORMANCE = fileURLToPath(new URL('../../conformance', import.meta.url));

export type Json = Readonly<Record<string, unknown>>;

interface Named {
  name: string;
  not_for?: string[];
}

export interface KeyCase extends Named {
  key: unknown[];
  run_id?: string;
  error?: true;
}

export interface ClInfoCase extends Named {
  variant?: unknown;
  config?: object;
  key_from_config?: string[];
  cl_info?: string | null;
  error?: true;
}

export interface HostileCase extends Named {
  text: string;
  json: string;
  lone?: true;
}

export interface SlurmEnvCase extends Named {
  env: Record<string, string>;
  slurm_info: Json | null;
}

export type Call =
  | { call: 'init'; options: InitOptions }
  | { call: 'log'; metrics: Record<string, unknown>; epoch?: number; step?: number }
  | { call: 'log_error'; exception_type: string; message: string; traceback?: string }
  | { call: 'log_results'; results: Record<string, unknown> }
  | ({ call: 'log_sample' } & Record<string, unknown>)
  | ({ call: 'set_status'; status: string } & Outcome)
  | ({ call: 'finish'; status?: string; results?: Record<string, unknown> } & Outcome);

interface Outcome {
  exit_code?: number;
  reason?: string;
}

export interface InitOptions {
  experiment_number?: number;
  dataset?: string;
  method?: string;
  subject?: string;
  variant?: unknown;
  seed?: number;
  key_from_config?: string[];
  config?: Record<string, unknown>;
  tags?: string[];
  notes?: string;
  resume?: boolean;
  independent?: boolean;
  attempt?: string;
}

export interface CallsCase extends Named {
  env?: Record<string, string>;
  script?: string;
  attempt?: string;
  /** What the one line on stderr holds; absent: there is none. */
  says?: string[];
  calls: Call[];
  lines: Json[];
}

/** `{"$number": "NaN"}` becomes NaN. */
function parse(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '$number')) return value;
    return Number((value as Record<string, unknown>)['$number']);
  });
}

export function casesOf<Case>(file: string): Case[] {
  return parse(fs.readFileSync(path.join(CONFORMANCE, file), 'utf8')) as Case[];
}

export function callsCases(): { file: string; text: string; given: CallsCase }[] {
  return fs
    .readdirSync(path.join(CONFORMANCE, 'calls'))
    .toSorted()
    .map((file) => {
      const text = fs.readFileSync(path.join(CONFORMANCE, 'calls', file), 'utf8');
      return { file, text, given: parse(text) as CallsCase };
    });
}
