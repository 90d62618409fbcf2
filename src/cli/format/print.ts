// A table on stdout: where it goes decides on widths and colours.
import type { CliIo } from '../io.ts';
import { printTable } from './format.ts';
import { formatOf, type FormatFlags } from './options.ts';
import type { Table } from './table.ts';

/** `command` is the whole command line, as `commandLine` makes it. */
export function print(
  table: Table,
  flags: FormatFlags,
  io: Pick<CliIo, 'stdout' | 'env'>,
  command?: string,
): void {
  const text = printTable(table, formatOf(flags), {
    width: widthOf(io.stdout),
    isColoured: isColoured(io),
    ...(command !== undefined && { command }),
  });
  io.stdout.write(text);
}

/** Some terminals that do not know their width say 0. */
export function widthOf({ isTTY = false, columns = 0 }: CliIo['stdout']): number | undefined {
  return isTTY && columns > 0 ? columns : undefined;
}

/** By no-color.org and force-color.org; the first wins. */
export function isColoured({ stdout, env }: Pick<CliIo, 'stdout' | 'env'>): boolean {
  const [never = '', always = ''] = [env['NO_COLOR'], env['FORCE_COLOR']];
  if (never !== '') return false;
  if (always !== '') return always !== '0';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}
