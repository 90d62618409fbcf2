// A small corpus, cut everywhere, arriving in pieces of every size, damaged in every way: the same rows, or the
// rows that the damaged bytes stand for; never others.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IN_MEMORY, openForWriting, type Db } from '../../src/db/open.ts';
import { Projector } from '../../src/projector/projector.ts';
import { snapshotOf } from '../helpers/given.ts';
import {
  A,
  annotated,
  at,
  closed,
  created,
  metric,
  result,
  text,
  writerFile,
  type GivenFile,
} from '../helpers/lines.ts';
import { LEDGER, MemoryStorage } from '../helpers/memory-storage.ts';
import { tablesOf } from '../helpers/tables.ts';
import { model } from '../model/model.ts';

/** Every way in which lines end and fail, and characters of one to four bytes. */
const FILE: GivenFile = writerFile(
  A,
  '{"type":"writer_ope\n',
  created(0, { notes: 'é€😀' }),
  `${text({ ...metric(1, { loss: 1, step: 1 }), seq: 3 })}\r\n`,
  '\n\r\n',
  metric(2, { seq: 4, loss: 2, step: 2 }),
  Buffer.from('{"type":"\xff"}\n', 'latin1'),
  '{"type":"later","seq":5}\n',
  result(3, { a: 'ü' }, { seq: 6 }),
  text({ ...metric(1, { loss: 1, step: 1 }), seq: 3 }),
  '\n',
  annotated(4, { tags: ['x'], seq: 6 }),
  annotated(4, { tags: ['x'], seq: 7 }),
  Buffer.from('{"type":"metric\u0000"}\n'),
  closed(5, 7, { seq: 8 }),
  'torn',
);
const MTIME_MS = Date.parse(at(0));
const NOW_MS = MTIME_MS + 20 * 60_000;

class Follower {
  readonly db: Db = openForWriting(IN_MEMORY);
  readonly storage = new MemoryStorage();
  #projector = this.#start();

  #start(): Projector {
    return new Projector(this.db, LEDGER, this.storage, { now: () => NOW_MS });
  }

  async show(bytes: Buffer): Promise<void> {
    this.storage.files.set(FILE.path, { bytes, mtimeMs: MTIME_MS });
    await this.#projector.pass({ thorough: true });
  }

  restart(): void {
    this.#projector = this.#start();
  }

  snapshot(): unknown {
    const snapshot = snapshotOf(this.db);
    this.db.close();
    return snapshot;
  }
}

async function whole(): Promise<unknown> {
  const follower = new Follower();
  await follower.show(FILE.bytes);
  expect(tablesOf(follower.db).rejected.map(({ code }) => code)).toEqual(
    ['not_json', 'invalid_utf8', 'seq_conflict', 'nul_hole'],
  ); // prettier-ignore
  return follower.snapshot();
}

test('cut at every byte, before and after which a pass is made', async () => {
  const expected = await whole();
  for (let cut = 0; cut <= FILE.bytes.length; cut += 1) {
    const follower = new Follower();
    await follower.show(FILE.bytes.subarray(0, cut));
    if (cut % 2 === 0) follower.restart();
    await follower.show(FILE.bytes);
    expect(follower.snapshot(), `cut at ${cut}`).toEqual(expected);
  }
});

test.each([1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610])('in pieces of %i bytes', async (size) => {
  const expected = await whole();
  const follower = new Follower();
  for (let end = size; end < FILE.bytes.length; end += size) {
    await follower.show(FILE.bytes.subarray(0, end));
    if (end % 7 === 0) follower.restart();
  }
  await follower.show(FILE.bytes);
  expect(follower.snapshot()).toEqual(expected);
});

describe('damaged', () => {
  /** By the model, which reads whole files in the slow and obvious way. */
  async function expectModelOf(bytes: Buffer): Promise<void> {
    const follower = new Follower();
    await follower.show(bytes);
    expect(tablesOf(follower.db)).toEqual(model([{ path: FILE.path, bytes, quiet: true }]));
    follower.db.close();
  }

  const at_ = fc.nat({ max: FILE.bytes.length - 1 });

  test('a bit is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(at_, fc.nat({ max: 7 }), async (index, bit) => {
        const bytes = Buffer.from(FILE.bytes);
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        await expectModelOf(bytes);
      }),
      { numRuns: 600 },
    );
  });

  test('a range is zeroed, doubled, left out, or put elsewhere', async () => {
    const range = fc.tuple(at_, fc.integer({ min: 1, max: 300 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('zero', 'double', 'drop', 'move'),
        range,
        at_,
        async (how, [from, length], to) => {
          const { bytes } = FILE;
          const [before, inside, after] = [
            bytes.subarray(0, from),
            bytes.subarray(from, from + length),
            bytes.subarray(from + length),
          ];
          const damaged = {
            zero: () => Buffer.concat([before, Buffer.alloc(inside.length), after]),
            double: () => Buffer.concat([before, inside, inside, after]),
            drop: () => Buffer.concat([before, after]),
            move: () => Buffer.concat([bytes.subarray(0, to), inside, bytes.subarray(to)]),
          };
          await expectModelOf(damaged[how]());
        },
      ),
      { numRuns: 600 },
    );
  });
});
