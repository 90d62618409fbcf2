// Which ledger a database is of.
import type { Db } from '../db/open.ts';
import { RunfoldError } from '../errors.ts';
import type { LedgerInfo } from '../events/ledger.ts';

/** One database is of one ledger for ever. */
export function bind(db: Db, ledger: LedgerInfo): void {
  db.prepare('INSERT OR IGNORE INTO _projection (id, ledger_id, ledger_path) VALUES (1, ?, ?)').run(
    ledger.ledger_id,
    ledger.path,
  );
  const known = db.prepare('SELECT ledger_id FROM _projection').pluck().get() as string;
  assertSame(db, known, ledger);
  db.prepare('UPDATE _projection SET ledger_path = ?').run(ledger.path);
}

/** @throws RunfoldError `database_other_ledger` */
export function assertSame(db: Db, known: string, ledger: LedgerInfo): void {
  if (known === ledger.ledger_id) return;
  throw new RunfoldError(
    'database_other_ledger',
    `${db.name} is of the log ${known}, not of ${ledger.ledger_id} at ${ledger.path}`,
    { hint: 'Name another file with --db or RUNFOLD_DB, or leave it out: every log has its own default.' },
  );
}
