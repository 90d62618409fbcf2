// A table on stdout: where it goes decides on widths and colours.
import { cutText } from '../cut-text.ts';
import { count } from '../human.ts';
import { say, type CliIo } from '../io.ts';
import { commandLine } from '../shell-quote.ts';
import { printTable } from './format.ts';
import { formatOf, type FormatFlags } from './options.ts';
import type { Table } from './table.ts';
import { narrowed } from './widths.ts';

const NAMED_COLUMNS = 6;
const NAME_WIDTH = 40;

/**
 * A table without rows is nothing to people: the command says in words what there is not. Of columns that have no room
 * in the terminal it says on stderr which they are.
 */
export function print(
  table: Table,
  flags: FormatFlags,
  io: Pick<CliIo, 'stdout' | 'stderr' | 'env' | 'args'>,
): void {
  const format = formatOf(flags);
  if (format === 'table' && table.rows.length === 0) return;
  const width = widthOf(io.stdout);
  const shown = format === 'table' && width !== undefined ? narrowed(table, width) : table;
  io.stdout.write(
    printTable(shown, format, {
      width,
      isColoured: isColoured(io),
      command: commandLine(io.args ?? []),
    }),
  );
  const isNarrow = shown.columns.length < table.columns.length;
  const said = leftOutText(shown, isNarrow ? 'a wider terminal' : undefined);
  if (said !== undefined) say(io.stderr, said);
}

function leftOutText({ leftOut = [], chosenBy }: Table, room: string | undefined): string | undefined {
  const ways = [chosenBy, room].filter((way) => way !== undefined).join(' or ');
  if (leftOut.length === 0 || ways === '') return undefined;
  const names = leftOut.slice(0, NAMED_COLUMNS).map((name) => cutText(name, NAME_WIDTH));
  const more = leftOut.length > names.length ? ', …' : '';
  const them = leftOut.length === 1 ? 'it' : 'them';
  return `${count(leftOut.length, 'column')} left out (${names.join(', ')}${more}): ${ways} shows ${them}`;
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
