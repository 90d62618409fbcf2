import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProjectorOptions } from '../../src/projector/projector.ts';
import { ALWAYS_AHEAD } from '../helpers/parse-here.ts';
import { tablesOf } from '../helpers/tables.ts';
import { model } from '../model/model.ts';
import { history } from './history.ts';
import { World } from './world.ts';
import { isThorough } from '../helpers/thorough.ts';

/** More of them: RUNFOLD_HISTORIES=10000. The seed of a failure replays it: RUNFOLD_SEED=… */
const HISTORIES = Number(process.env['RUNFOLD_HISTORIES'] ?? (isThorough ? 1500 : 500));
const SEED = Number(process.env['RUNFOLD_SEED'] ?? Date.now() % 2 ** 31);

const VARIANTS: Record<string, ProjectorOptions> = {
  'parsed where it is inserted': {},
  'parsed ahead': ALWAYS_AHEAD,
};

test.each(Object.keys(VARIANTS))(
  `the law: model = incremental = rebuilt, over ${HISTORIES} histories, %s (seed ${SEED})`,
  async (variant) => {
    await fc.assert(
      fc.asyncProperty(history, async (actions) => {
        const world = new World(VARIANTS[variant]);
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
  },
  600_000,
);
