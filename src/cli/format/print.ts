// A table on stdout: where it goes decides on widths and colours.
import type { CliIo } from '../io.ts';
import { printTable } from './format.ts';
import { commandLine } from '../shell-quote.ts';
import { formatOf, type FormatFlags } from './options.ts';
import type { Table } from './table.ts';

/** A table without rows is nothing to people: the command says in words what there is not. */
export function print(table: Table, flags: FormatFlags, io: Pick<CliIo, 'stdout' | 'env' | 'args'>): void {
  const format = formatOf(flags);
  if (format === 'table' && table.rows.length === 0) return;
  io.stdout.write(
    printTable(table, format, {
      width: widthOf(io.stdout),
      isColoured: isColoured(io),
      command: commandLine(io.args ?? []),
    }),
  );
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
