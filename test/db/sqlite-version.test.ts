// A SQLite that can corrupt a database in WAL mode must not write one.
import fc from 'fast-check';
import type DatabaseConstructor from 'better-sqlite3';
import { beforeEach, expect, test, vi } from 'vitest';
import { IN_MEMORY, openForBuilding, openForWriting } from '../../src/db/open.ts';

const sqlite = vi.hoisted(() => ({ version: '3.51.3' }));

vi.mock('better-sqlite3', async (importOriginal) => {
  const { default: Database } = await importOriginal<{ default: typeof DatabaseConstructor }>();
  class OtherVersion extends Database {
    override prepare(sql: string): never {
      if (!sql.includes('sqlite_version()')) return super.prepare(sql) as never;
      return { pluck: () => ({ get: () => sqlite.version }) } as never;
    }
  }
  return { default: OtherVersion };
});

beforeEach(() => {
  sqlite.version = '3.51.3';
});

function isAccepted(version: string): boolean {
  sqlite.version = version;
  try {
    openForWriting(IN_MEMORY).close();
    return true;
  } catch (error) {
    expect(error).toMatchObject({
      code: 'sqlite_too_old',
      message: expect.stringContaining(version) as string,
    });
    return false;
  }
}

test.each(['3.51.3', '3.51.4', '3.52.0', '3.53.2', '4.0.0'])('%s may write', (version) => {
  expect(isAccepted(version)).toBe(true);
});

test.each(['3.51.2', '3.51', '3.9.9', '3.50.99', '2.99.99'])('%s may not', (version) => {
  expect(isAccepted(version)).toBe(false);
});

test('versions are compared part by part, as numbers', () => {
  const part = fc.oneof(fc.constantFrom(0, 2, 3, 4, 9, 50, 51, 52), fc.nat({ max: 99 }));
  fc.assert(
    fc.property(part, part, part, (major, minor, patch) => {
      const rank = (major * 100 + minor) * 100 + patch;
      expect(isAccepted(`${major}.${minor}.${patch}`)).toBe(rank >= 35_103);
    }),
  );
});

test('a file that is built is written too', () => {
  sqlite.version = '3.40.1';
  expect(() => openForBuilding(IN_MEMORY)).toThrow(expect.objectContaining({ code: 'sqlite_too_old' }));
});
