// Rows as objects, for programs.
import { jsonSafe } from '../print-safe.ts';
import type { Cell, CellValue, Column, Table } from './table.ts';

/** An array of one object a row: the raw values by the names of their columns, in ASCII. */
export function json({ columns, rows }: Table): string {
  const objects = rows.map((row) => rowObject(columns, row));
  return `${jsonSafe(objects, 2)}\n`;
}

/** A column may be named `__proto__`, which an assignment would lose; fromEntries does not assign. */
export function rowObject(
  columns: readonly Column[],
  row: readonly Cell[],
): Readonly<Record<string, CellValue>> {
  return Object.fromEntries(columns.map(({ name }, index) => [name, row[index]?.value ?? null]));
}
