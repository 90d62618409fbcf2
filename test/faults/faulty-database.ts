// better-sqlite3 in which the k-th call fails, once or from then on. For `vi.mock('better-sqlite3', …)`: what the code
// under test opens is one of these, whoever opens it.
import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';
import { FaultPlan } from './fault-plan.ts';

// past the mock
const RealDatabase = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite;

/**
 * What happens in the place of a call. `refused`: nothing was done, a transaction that was open still is. `rolled back`:
 * SQLite has ended it by itself, as it does when the disk is full. `done`: it has taken effect, and yet failed.
 */
export type Effect = 'refused' | 'rolled back' | 'done';

export interface Fault {
  code: string;
  effect: Effect;
}

/** Of all databases together. */
export const faults = new FaultPlan<Fault>();

/** Connections that nobody has closed. */
export const openConnections = new Set<{ close: () => unknown }>();

export class FaultyDatabase extends RealDatabase {
  constructor(file: string, options?: BetterSqlite.Options) {
    super(file, options);
    openConnections.add(this);
  }

  override close(): this {
    openConnections.delete(this);
    return super.close();
  }

  override exec(sql: string): this {
    return this.#call(sql, () => super.exec(sql));
  }

  override pragma(source: string, options?: BetterSqlite.PragmaOptions): unknown {
    return this.#call(`PRAGMA ${source}`, () => super.pragma(source, options));
  }

  override prepare(sql: string): never {
    const statement = super.prepare(sql) as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of ['run', 'get', 'all', 'iterate']) {
      const real = statement[name];
      // a PRAGMA gives rows or none: it has not all of them
      if (real === undefined) continue;
      statement[name] = (...args: unknown[]): unknown => this.#call(sql, () => real.apply(statement, args));
    }
    return statement as never;
  }

  /** As the real one, which calls statements of its own: those must be counted too. */
  override transaction(work: (...args: never[]) => unknown): never {
    const begun =
      (begin: string) =>
      (...args: never[]): unknown => {
        if (this.inTransaction) throw new Error('no transaction of this program is within another');
        this.exec(begin);
        try {
          const value = work(...args);
          this.exec('COMMIT');
          return value;
        } catch (error) {
          if (this.inTransaction) super.exec('ROLLBACK');
          throw error;
        }
      };
    return Object.assign(begun('BEGIN'), {
      deferred: begun('BEGIN DEFERRED'),
      immediate: begun('BEGIN IMMEDIATE'),
      exclusive: begun('BEGIN EXCLUSIVE'),
    }) as never;
  }

  override async backup(
    file: string,
    options: { progress?: (info: BetterSqlite.BackupMetadata) => number } = {},
  ): Promise<BetterSqlite.BackupMetadata> {
    const { progress } = options;
    this.#call('backup', () => undefined);
    return await super.backup(file, {
      ...options,
      progress: (info) => this.#call('backup, more', () => progress?.(info) ?? 100),
    });
  }

  #call<T>(sql: string, real: () => T): T {
    const fault = faults.meet(sql);
    if (fault === undefined) return real();
    if (fault.effect === 'done') real();
    if (fault.effect === 'rolled back' && this.inTransaction) super.exec('ROLLBACK');
    throw new RealDatabase.SqliteError(`made to fail: ${sql}`, fault.code);
  }
}
