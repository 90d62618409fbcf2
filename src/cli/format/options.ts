// --format and --json, under the same names for every command that reads.
import { Option, type Command } from 'commander';
import { RunfoldError } from '../../errors.ts';
import { FORMATS, type Format } from './table.ts';

export interface FormatFlags {
  format?: Format;
  json?: boolean;
}

export function withFormat(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'how to print it (default: table)').choices(FORMATS))
    .option('--json', 'the same as --format json');
}

/** The format that the flags ask for. Two different ones are code `usage`. */
export function formatOf({ format, json = false }: FormatFlags): Format {
  if (!json) return format ?? 'table';
  if (format === undefined || format === 'json') return 'json';
  throw new RunfoldError('usage', `--json and --format ${format} are two formats`, {
    hint: 'Give one of them.',
  });
}
