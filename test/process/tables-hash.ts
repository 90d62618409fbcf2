// Whether two databases hold the same rows, and whether SQLite finds a file sound.
import { createHash } from 'node:crypto';
import { openReadOnly } from '../../src/db/open.ts';
import { PRIMARY_KEYS, PUBLIC_TABLES, type PublicTable } from '../../src/db/schema.ts';

/** All that the law is about in one number. */
export function hashOf(file: string): string {
  const db = openReadOnly(file);
  const hash = createHash('sha256');
  try {
    for (const table of PUBLIC_TABLES) {
      const rows = db.prepare(`SELECT * FROM ${table} ORDER BY ${PRIMARY_KEYS[table].join(', ')}`).raw();
      hash.update(table);
      for (const row of rows.iterate()) hash.update(`${JSON.stringify(row)}\n`);
    }
    return hash.digest('hex');
  } finally {
    db.close();
  }
}

export interface Comparison {
  integrity: unknown;
  /** Tables with rows that only one of the two has, and how many. */
  unequal: Partial<Record<PublicTable, number>>;
}

/** Several times as fast as two hashes. */
export function compareWith(reference: string, file: string): Comparison {
  const db = openReadOnly(file);
  try {
    db.prepare('ATTACH ? AS reference').run(reference);
    const unequal: Comparison['unequal'] = {};
    for (const table of PUBLIC_TABLES) {
      const [here, there] = [`SELECT * FROM main.${table}`, `SELECT * FROM reference.${table}`];
      const count = `SELECT (SELECT count(*) FROM (${here} EXCEPT ${there})) + (SELECT count(*) FROM (${there} EXCEPT ${here}))`;
      const rows = Number(db.prepare(count).pluck().get());
      if (rows > 0) unequal[table] = rows;
    }
    return { integrity: db.pragma('main.integrity_check', { simple: true }), unequal };
  } finally {
    db.close();
  }
}

export const EQUAL: Comparison = { integrity: 'ok', unequal: {} };
