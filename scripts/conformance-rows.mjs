// Prints the rows that the event files of a folder of conformance/rows come to, for its rows.json:
//
//   npm run build && node scripts/conformance-rows.mjs conformance/rows/training > conformance/rows/training/rows.json
//
// They are what the reader makes of the lines, not what is right: read them before they are committed.
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [, , folder] = process.argv;
const built = (file) =>
  import(pathToFileURL(fileURLToPath(new URL(`../dist/${file}`, import.meta.url))).href);
const { createLedger } = await built('events/ledger.js');
const { eventFilePath } = await built('events/layout.js');
const { IN_MEMORY, openForWriting } = await built('db/open.js');
const { Projector } = await built('projector/projector.js');
const { DirectoryStorage } = await built('projector/storage.js');
const { PUBLIC_TABLES } = await built('db/schema.js');
const { rowsOf } = await built('projector/dump.js');

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'runfold-rows-'));
try {
  const ledger = createLedger(root);
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.ndjson'))) {
    const [, writer, origin] = /^([^-]+)-(.*)\.ndjson$/.exec(name) ?? [];
    const target = path.join(root, eventFilePath(writer, origin));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(folder, name), target);
  }
  const db = openForWriting(IN_MEMORY);
  await new Projector(db, ledger, new DirectoryStorage(root), { now: Date.now }).pass({ thorough: true });
  const rows = Object.fromEntries(PUBLIC_TABLES.map((table) => [table, [...rowsOf(db, table)].map(asJson)]));
  process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
} finally {
  fs.rmSync(root, { recursive: true });
}

/** Columns that hold JSON as values, and without what is NULL. */
function asJson(row) {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        name,
        typeof value === 'string' && /^[{[]/.test(value) ? JSON.parse(value) : value,
      ]),
  );
}
