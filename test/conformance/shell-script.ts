// The calls of a case as a script for runfold.sh.
import { fileURLToPath } from 'node:url';
import type { Call, CallsCase, InitOptions } from './cases.ts';

export const RUNFOLD_SH = fileURLToPath(new URL('../../clients/shell/runfold.sh', import.meta.url));

export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

export function scriptOf(given: CallsCase): string {
  return ['set -eu', `. ${quoted(RUNFOLD_SH)}`, ...given.calls.map(commandOf), ''].join('\n');
}

function commandOf(call: Call): string {
  switch (call.call) {
    case 'init':
      return command('runfold_open', openWords(call.options));
    case 'log':
      return command('runfold_metric', [
        ...option('--epoch', call.epoch),
        ...option('--step', call.step),
        '--',
        ...Object.entries(call.metrics).map(([name, value]) => `${name}=${String(value)}`),
      ]);
    case 'log_error': {
      const { exception_type, message, traceback } = call;
      return command('runfold_error', [
        exception_type,
        message,
        ...(traceback === undefined ? [] : [traceback]),
      ]);
    }
    case 'log_results':
      return command('runfold_results', members(call.results));
    case 'log_sample': {
      const { call: _, ...fields } = call;
      const words = Object.entries(fields).map(
        ([name, value]) => `--${name.replaceAll('_', '-')}=${String(value)}`,
      );
      return command('runfold_sample', words);
    }
    case 'set_status':
      return command('runfold_status', [
        call.status,
        ...option('--exit-code', call.exit_code),
        ...option('--reason', call.reason),
      ]);
    case 'finish': {
      const { status, exit_code, reason, results } = call;
      const close = command('runfold_close', [
        ...(exit_code === undefined ? [] : [String(exit_code)]),
        ...option('--status', status),
        ...option('--reason', reason),
      ]);
      return results === undefined ? close : `${command('runfold_results', members(results))}\n${close}`;
    }
  }
}

function openWords(options: InitOptions): string[] {
  return [
    ...option('--experiment-number', options.experiment_number),
    ...option('--dataset', options.dataset),
    ...option('--method', options.method),
    ...option('--subject', options.subject),
    ...option('--variant', options.variant as string | undefined),
    ...option('--seed', options.seed),
    ...members(options.config ?? {}).flatMap((member) => ['--config', member]),
    ...(options.tags ?? []).flatMap((tag) => ['--tag', tag]),
    ...option('--notes', options.notes),
    ...(options.resume === true ? ['--resume'] : []),
    ...(options.independent === undefined ? [] : [`--independent=${String(options.independent)}`]),
    ...option('--attempt', options.attempt),
  ];
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}

function members(object: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(object).map(([name, value]) => memberOf(name, value));
}

/** `name=value` where a shell can say it so, else an object of one member. */
export function memberOf(name: string, value: unknown): string {
  if (name.includes('=') || name.startsWith('{')) {
    return `{${JSON.stringify(name)}:${jsonOf(value)}}`;
  }
  return `${name}=${typeof value === 'string' && !isJson(value) ? value : jsonOf(value)}`;
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
  );
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function command(name: string, words: readonly string[]): string {
  return [name, ...words.map(quoted)].join(' ');
}
