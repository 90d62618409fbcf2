// Inserts the metric rows of a ledger with better-sqlite3 and nothing else: the least that a rebuild could cost.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { built, partArguments } from '../lib.mjs';
import { COLUMN_COUNT, fileTexts, rowsOf } from './rows.mjs';

const ROWS_A_TRANSACTION = 10_000;
const { ledger, db: file, mode, isParsing } = partArguments();
// the pragmas and the tables that the projector itself has
const { openForBuilding, openForWriting } = await import(built('./db/open.js'));

function preloaded() {
  const rows = [];
  for (const text of fileTexts(ledger)) for (const row of rowsOf(text)) rows.push(row);
  return rows;
}

function* parsed() {
  for (const text of fileTexts(ledger)) yield* rowsOf(text);
}

function insertAll(db, rows) {
  const insert = db.prepare(`INSERT INTO run_metrics VALUES (?${', ?'.repeat(COLUMN_COUNT - 1)})`);
  let count = 0;
  db.exec('BEGIN');
  for (const row of rows) {
    insert.run(...row);
    count += 1;
    if (count % ROWS_A_TRANSACTION === 0) db.exec('COMMIT; BEGIN');
  }
  db.exec('COMMIT');
}

const rows = isParsing ? parsed() : preloaded();
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const db = mode === 'building' ? openForBuilding(file) : openForWriting(file);
insertAll(db, rows);
db.close();
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(startedCpu);

const syncedAt = performance.now();
const descriptor = openSync(file, 'r');
fsyncSync(descriptor);
closeSync(descriptor);
const syncSeconds = (performance.now() - syncedAt) / 1000;
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, syncSeconds }));
