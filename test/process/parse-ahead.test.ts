// The real worker: the same tables as without it, and nothing of it is left behind.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openForWriting } from '../../src/db/open.ts';
import { readLedger } from '../../src/events/ledger.ts';
import { Projector } from '../../src/projector/projector.ts';
import { DirectoryStorage } from '../../src/projector/storage.ts';
import { tempDir } from '../events/temp-dir.ts';
import { builtUrl } from '../helpers/built.ts';
import { ALWAYS_AHEAD } from '../helpers/parse-here.ts';
import { writeBigLedger } from './big-ledger.ts';
import { runScriptProcess } from './run-script.ts';
import { Random, seedOfThisRun } from './random.ts';
import { compareWith, EQUAL } from './tables-hash.ts';

/** Reads a ledger, with what happens to the worker, and says when each step was done. */
const SCRIPT = `
import { openForWriting } from '${builtUrl('db/open.js')}';
import { readLedger } from '${builtUrl('events/ledger.js')}';
import { WorkerParseAhead } from '${builtUrl('projector/parse-ahead.js')}';
import { DirectoryStorage, Projector } from '${builtUrl('projector/index.js')}';
const [root, file, how] = process.argv.slice(2);
let started = 0, taken = 0;
class Watched extends WorkerParseAhead {
  chunk() {
    const chunk = super.chunk();
    return { ...chunk, take: async () => {
      const columns = await chunk.take();
      if (columns !== undefined) taken += 1;
      return columns;
    } };
  }
}
const startAhead = () => {
  started += 1;
  const ahead = new Watched();
  if (how === 'dies') setTimeout(() => ahead.end(), 150);
  return ahead;
};
const stop = new AbortController();
const db = openForWriting(file);
const projector = new Projector(db, readLedger(root), new DirectoryStorage(root), { now: () => Date.now() },
  how === 'default' ? {} : { startAhead, aheadFrom: 0 });
const onProgress = ({ lines }) => { if (how === 'aborts' && lines > 1000) stop.abort(); };
const { lines } = await projector.pass({ thorough: true, signal: stop.signal, onProgress });
db.close();
console.log(JSON.stringify({ lines, started, taken, at: Date.now() }));
`;

const SEED = seedOfThisRun();

test(`a worker, one that dies, one big file, an abort (seed ${SEED})`, async () => {
  const dir = tempDir();
  const random = new Random(SEED);
  const root = path.join(dir, 'ledger');
  const ledger = writeBigLedger(root, { events: 60_000, writers: 3 }, random);
  // a hole in the middle, given up since the file is old: the lines after it are read from elsewhere than was guessed
  const holed = path.join(root, ledger.files[0] ?? '');
  const bytes = fs.readFileSync(holed);
  fs.writeFileSync(holed, bytes.fill(0, 1_500_000, 1_500_100));
  for (const file of ledger.files) fs.utimesSync(path.join(root, file), 0, 0);

  const reference = path.join(dir, 'reference.db');
  await readHere(root, reference, { aheadFrom: Number.POSITIVE_INFINITY });
  const here = path.join(dir, 'here.db');
  await readHere(root, here, ALWAYS_AHEAD);
  expect(compareWith(reference, here)).toEqual(EQUAL);

  for (const how of ['lives', 'dies', 'default']) {
    const file = path.join(dir, `${how}.db`);
    const said = await runScriptProcess(SCRIPT, [root, file, how]);
    expect(compareWith(reference, file), how).toEqual(EQUAL);
    if (how === 'lives') expect(said).toMatchObject({ started: 1 });
    if (how === 'lives') expect(said.taken).toBeGreaterThan(0);
    expect(said.endedAt - said.at, how).toBeLessThan(2000);
  }
  const aborted = await runScriptProcess(SCRIPT, [root, path.join(dir, 'aborted.db'), 'aborts']);
  expect(aborted.lines).toBeLessThan(60_000);
  expect(aborted.endedAt - aborted.at).toBeLessThan(2000);
}, 120_000);

async function readHere(root: string, file: string, options: typeof ALWAYS_AHEAD): Promise<void> {
  const db = openForWriting(file);
  await new Projector(db, readLedger(root), new DirectoryStorage(root), systemClock, options).pass({
    thorough: true,
  });
  db.close();
}
