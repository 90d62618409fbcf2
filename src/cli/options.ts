// Options that many commands share, under one name everywhere.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RunKey } from '../events/run-id.ts';

export interface PlaceFlags {
  ledger?: string;
  db?: string;
}

export interface KeyFlags {
  experimentNumber?: number;
  dataset?: string;
  method?: string;
  subject?: string;
  clInfo?: string;
  seed?: number;
}

export function withPlace(command: Command): Command {
  return withLedger(command).option(
    '--db <file>',
    'the database file (default: $RUNFOLD_DB, else a private file on a local disk)',
  );
}

export function withLedger(command: Command): Command {
  return command.option(
    '--ledger <dir>',
    'the log’s directory (default: $RUNFOLD_DIR, else the nearest .runfold upwards)',
  );
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function withKey(command: Command, defaultMethod = '"default"'): Command {
  return command
    .addOption(new Option('--exp, --experiment-number <n>', 'experiment (default: 1)').argParser(wholeNumber))
    .option('--dataset <name>', 'data set (default: "default")')
    .option('--method <name>', `method (default: ${defaultMethod})`)
    .option('--subject <name>', 'subject')
    .option('--variant, --cl-info <text>', 'whatever else makes it a different run: variant, fold, lr …')
    .addOption(new Option('--seed <n>', 'seed').argParser(wholeNumber));
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be a whole number.');
}

export function countOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, min: 60, h: 3600 };
/** Timers of Node cannot be longer. */
const MAX_SECONDS = 2_147_483;

/** `30`, `30s`, `5m` or `1.5h` in seconds. */
export function seconds(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(s|m|min|h)?$/.exec(text) ?? [];
  const value = Number(number) * (SECONDS[unit] ?? 1);
  if (value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError('It must be a time such as 30s, 5m or 1h, and less than 24 days.');
}

/** The parser of an option with choices that may be repeated: of commander's own the last would win. */
export function manyOf(choices: readonly string[]): (text: string, before: string[] | undefined) => string[] {
  return (text, before) => {
    if (choices.includes(text)) return [...(before ?? []), text];
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  };
}

export function hasKey(flags: KeyFlags): boolean {
  return [flags.experimentNumber, flags.dataset, flags.method, flags.subject, flags.clInfo, flags.seed].some(
    (value) => value !== undefined,
  );
}

export function keyOf(flags: KeyFlags): RunKey {
  return {
    experiment_number: flags.experimentNumber ?? 1,
    dataset: flags.dataset ?? 'default',
    method: flags.method ?? 'default',
    subject: flags.subject ?? null,
    cl_info: flags.clInfo ?? null,
    seed: flags.seed ?? null,
  };
}
