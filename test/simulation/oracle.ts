// What a database must hold at any moment: the lines up to the offsets that it has recorded, folded by the model.
import type { Db } from '../../src/db/open.ts';
import { model, type ModelFile, type Tables } from '../model/model.ts';
import type { EventFile } from './event-file.ts';
import type { Server } from './server.ts';

const LF = 0x0a;

export interface FileRow {
  path: string;
  state: string;
  reason: string | null;
  offset: number;
  /** Lines that are in the tables. */
  events: number;
}

interface RejectedRow {
  file: string;
  offset: number;
  length: number;
  code: string;
}

export function filesOf(db: Db): FileRow[] {
  return db
    .prepare('SELECT path, state, reason, offset, events FROM _files ORDER BY path')
    .all() as FileRow[];
}

/** Files with a page so late that its line was given up: what that makes of them is provisional. */
export function holedFiles(db: Db): Set<string> {
  return new Set(db.prepare('SELECT DISTINCT path FROM _holes').pluck().all() as string[]);
}

/** From what was written, whatever the file system has shown of it. */
export function tablesOfPrefixes(db: Db, files: ReadonlyMap<string, EventFile>): Tables {
  const rejected = db.prepare('SELECT file, offset, length, code FROM _rejected').all() as RejectedRow[];
  const prefixes = filesOf(db).map(({ path, offset }): ModelFile => {
    const ofFile = rejected.filter(({ file }) => file === path);
    // the line that stopped a file is reported, though it is not before the offset
    const end = Math.max(offset, ...ofFile.map((line) => line.offset + line.length));
    const bytes = Buffer.from(files.get(path)?.issued.subarray(0, end) ?? []);
    for (const hole of ofFile.filter(({ code }) => code === 'nul_hole')) {
      bytes.fill(0, hole.offset, hole.offset + hole.length - 1);
      bytes[hole.offset + hole.length - 1] = LF;
    }
    return { path, bytes, quiet: true };
  });
  return model(prefixes);
}

/** When all is on the server and time has passed. */
export function tablesOfServer(server: Server): Tables {
  return model([...server.files].map(([path, { bytes }]) => ({ path, bytes, quiet: true })));
}
