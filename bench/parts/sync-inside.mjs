// A program that syncs a whole ledger and asks its own database meanwhile.
import { entry, partArguments } from '../lib.mjs';
import { waits } from './asking.mjs';

const { ledger, db: file } = partArguments();
const { ExperimentDB } = await import(entry('runfold'));
const db = await ExperimentDB.open({ ledger, db: file });
let isOver = false;
const startedAt = performance.now();
const synced = db.sync().finally(() => (isOver = true));
const all = await waits(
  () => db.getAllRuns({ limit: 50 }),
  () => isOver,
);
await synced;
const seconds = (performance.now() - startedAt) / 1000;
db.close();
console.log(JSON.stringify({ seconds, waits: all }));
