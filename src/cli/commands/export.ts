// runfold export: the tables as files for other programs, all of one moment.
import path from 'node:path';
import type { Db } from '../../db/open.ts';
import { RunfoldError } from '../../errors.ts';
import { Drafts } from '../export/drafts.ts';
import { encodeTable } from '../export/encode.ts';
import { EXPORTED_TABLES, type ExportedTable, type ExportFormat } from '../export/names.ts';
import { count, thousands } from '../human.ts';
import { say, type CliIo, type ExitCode } from '../io.ts';
import { printSafe } from '../print-safe.ts';
import { ProgressLine } from '../progress.ts';
import { reading, type ReadingFlags } from '../reading.ts';
import { streamOut } from '../stream-out.ts';

export interface ExportFlags extends ReadingFlags {
  format: ExportFormat;
  table?: ExportedTable[];
  /** False with `--no-escape`. */
  escape: boolean;
  force?: boolean;
}

const DEFAULT_DIRECTORY = 'runfold-export';

export async function exportTables(
  given: string | undefined,
  flags: ExportFlags,
  io: CliIo,
): Promise<ExitCode> {
  const tables = EXPORTED_TABLES.filter((table) => flags.table?.includes(table) ?? true);
  if (!flags.escape && flags.format !== 'csv') {
    throw new RunfoldError('usage', `--no-escape goes with CSV; ${flags.format} is exact as it is`);
  }
  const directory = given ?? DEFAULT_DIRECTORY;
  if (directory === '-') return await exportToStdout(tables, flags, io);

  const target = path.resolve(io.cwd, directory);
  const nameOf = (table: ExportedTable): string => `${table}.${flags.format}`;
  // before the log is read: that takes time, and who waits for it wants the files at its end
  using drafts = new Drafts(target, tables.map(nameOf), flags.force === true);
  const written = await reading(flags, io, async (db) => {
    using rows = new Rows(db, tables, io);
    for (const table of tables) {
      await drafts.write(nameOf(table), rows.encoded(table, flags), () => io.signal.throwIfAborted());
    }
    await drafts.publish();
    return rows.done;
  });
  for (const [table, number] of written) {
    say(io.stdout, `${printSafe(path.join(directory, nameOf(table)))}: ${count(number, 'row')}`);
  }
  return 0;
}

async function exportToStdout(
  tables: readonly ExportedTable[],
  flags: ExportFlags,
  io: CliIo,
): Promise<ExitCode> {
  const [table] = tables;
  if (table === undefined || tables.length > 1) {
    throw new RunfoldError('usage', 'only one table fits into stdout', {
      hint: `Name it with --table, one of ${EXPORTED_TABLES.join(', ')}.`,
    });
  }
  if (flags.format === 'parquet') {
    throw new RunfoldError('usage', 'Parquet goes into files only', {
      hint: 'Name a directory, or use CSV or NDJSON.',
    });
  }
  await reading(flags, io, async (db) => {
    using rows = new Rows(db, tables, io);
    await streamOut(rows.encoded(table, flags), io);
  });
  return 0;
}

/** The tables as of the moment of the first read, and how far their reading is. */
class Rows implements Disposable {
  /** How many rows of which table have been taken. */
  readonly done: Map<ExportedTable, number> = new Map();
  readonly #db: Db;
  readonly #progress: ProgressLine;
  readonly #total: number;
  #all = 0;

  constructor(db: Db, tables: readonly ExportedTable[], io: CliIo) {
    this.#db = db;
    this.#progress = new ProgressLine(io, 'exporting');
    // what is committed from now on is not seen
    db.exec('BEGIN');
    this.#total = io.stderr.isTTY === true ? totalOf(db, tables) : 0;
  }

  encoded(table: ExportedTable, { format, escape }: ExportFlags): AsyncIterable<string | Uint8Array> {
    this.done.set(table, 0);
    return encodeTable(this.#db, table, {
      format,
      isExact: !escape,
      onRows: (rows) => {
        this.done.set(table, (this.done.get(table) ?? 0) + rows);
        this.#all += rows;
        this.#progress.show(() => this.#howFar());
      },
    });
  }

  [Symbol.dispose](): void {
    this.#progress.done();
  }

  #howFar(): string {
    const percent = Math.floor((100 * this.#all) / Math.max(1, this.#total));
    return `${thousands(this.#all)} of ${count(this.#total, 'row')}, ${percent} %`;
  }
}

/** Reads through all of them, so only where somebody looks at it. */
function totalOf(db: Db, tables: readonly ExportedTable[]): number {
  const counts = tables.map((table) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()));
  return counts.reduce((sum, number) => sum + number, 0);
}
