import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tablesOf } from '../helpers/tables.ts';
import { model } from '../model/model.ts';
import { history } from './history.ts';
import { World } from './world.ts';

/** More of them: RUNFOLD_HISTORIES=10000. The seed of a failure replays it: RUNFOLD_SEED=… */
const HISTORIES = Number(process.env['RUNFOLD_HISTORIES'] ?? 1500);
const SEED = Number(process.env['RUNFOLD_SEED'] ?? Date.now() % 2 ** 31);

test(`the law: model = incremental = rebuilt, over ${HISTORIES} histories (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (actions) => {
      const world = new World();
      for (const action of actions) await world.act(action);
      await world.finish();
      const files = [...world.storage.files].map(([path, { bytes }]) => ({ path, bytes, quiet: true }));
      const expected = model(files);
      const rebuilt = await world.rebuilt();
      expect(tablesOf(rebuilt)).toEqual(expected);
      expect(tablesOf(world.db)).toEqual(expected);
      rebuilt.close();
      world.db.close();
    }),
    { numRuns: HISTORIES, seed: SEED },
  );
}, 600_000);
