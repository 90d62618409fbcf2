// The text of a JSON file -> the table of a grid: a list of objects, or one object of lists, of which it is the
// product.
import { messageOf } from '../errors.ts';
import { gridError, quoted } from './grid-error.ts';
import { MAX_ROWS, type GridCell, type GridTable } from './table.ts';

const FORMS =
  'Write a list of objects, [{"dataset": "iris", "seed": 1}], or lists of which all is combined with all, {"dataset": ["iris", "wine"], "seed": [1, 2]}.';
const STRING = /"(?:[^"\\]|\\.)*"/g;

/** @throws RunfoldError `usage` */
export function tableOfJson(text: string, file: string): GridTable {
  const value = parsed(text, file);
  if (Array.isArray(value)) return tableOfList(value, file);
  if (typeof value === 'object' && value !== null) return product(value, file);
  throw gridError({ file }, 'it is neither a list nor an object', FORMS);
}

function parsed(text: string, file: string): unknown {
  const content = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(content);
  } catch (error) {
    throw jsonError(content, file, messageOf(error));
  }
}

/** The two that people and Python write, with their line; of others what the parser says. */
function jsonError(text: string, file: string, message: string): Error {
  const bare = text.replace(STRING, (string) => '_'.repeat(string.length));
  const notFinite = /(?<![\w.])-?(?:NaN|Infinity)(?!\w)/.exec(bare);
  if (notFinite !== null) {
    return gridError(
      { file, place: lineAt(text, notFinite.index) },
      `${notFinite[0]} is not JSON`,
      `Write "${notFinite[0]}" or null.`,
    );
  }
  const comma = /,(?=\s*[\]}])/.exec(bare);
  if (comma !== null) {
    return gridError(
      { file, place: lineAt(text, comma.index) },
      'a comma with nothing after it is not JSON',
      'Remove it.',
    );
  }
  const at = /position (\d+)/.exec(message)?.[1];
  return gridError(
    { file, place: at === undefined ? undefined : lineAt(text, Number(at)) },
    `it is not JSON: ${message}`,
    FORMS,
  );
}

function lineAt(text: string, index: number): string {
  return `line ${text.slice(0, index).split('\n').length}`;
}

function tableOfList(list: readonly unknown[], file: string): GridTable {
  if (list.length > MAX_ROWS) throw gridError({ file }, `it has more than ${MAX_ROWS} rows`, 'Split it.');
  const objects = list.map((item, index) => {
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      return new Map(Object.entries(item));
    throw gridError({ file, place: `row ${index + 1}` }, 'it is not an object', FORMS);
  });
  const columns = [...new Set(objects.flatMap((object) => [...object.keys()]))];
  const rows = objects.map((object, index) => {
    const place = `row ${index + 1}`;
    return { place, cells: columns.map((column) => cellOf(object.get(column), { file, place, column })) };
  });
  return { columns: named(columns, file), rows };
}

/** The last name changes fastest. What is no list is a list of one. */
function product(object: object, file: string): GridTable {
  const axes = Object.entries(object).map(([column, given]: [string, unknown]) => {
    const values: unknown[] = Array.isArray(given) ? given : [given];
    if (values.length === 0)
      throw gridError({ file, column }, 'its list is empty', 'Give it a value, or remove it.');
    return { column, cells: values.map((value) => cellOf(value, { file, column })) };
  });
  const columns = named(
    axes.map(({ column }) => column),
    file,
  );
  const size = axes.reduce((total, { cells }) => total * cells.length, axes.length === 0 ? 0 : 1);
  if (size > MAX_ROWS) {
    const lengths = axes.map(({ cells }) => cells.length).join(' × ');
    throw gridError({ file }, `${lengths} is more than ${MAX_ROWS} rows`, 'Split it.');
  }
  let rows: (GridCell | null)[][] = size === 0 ? [] : [[]];
  for (const { cells } of axes) rows = rows.flatMap((row) => cells.map((each) => [...row, each]));
  return { columns, rows: rows.map((cells, index) => ({ place: `row ${index + 1}`, cells })) };
}

function named(columns: readonly string[], file: string): readonly string[] {
  if (!columns.some((column) => column.trim() === '')) return columns;
  throw gridError({ file }, 'a name is empty', 'Name each value.');
}

function cellOf(value: unknown, where: { file: string; place?: string; column: string }): GridCell | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'boolean') return { text: String(value), value };
  if (typeof value === 'string') {
    if (value.isWellFormed()) return { text: value, value };
    throw gridError(where, 'half of a character (a lone surrogate)', 'Remove it.');
  }
  if (typeof value !== 'number') {
    throw gridError(where, 'it is a list or an object', 'Values are numbers, texts, true and false.');
  }
  if (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)) {
    return { text: JSON.stringify(value), value: value + 0 };
  }
  throw gridError(where, 'the number has more digits than can be kept', `Write it as text: ${quoted('…')}.`);
}
