// One log, five kinds of trouble: what was acknowledged arrives, once.
import { describe, expect, test } from 'vitest';
import { Follower } from './follower.ts';
import { eventually, IS_SHORT, PATIENCE_MS, RUNFOLD, type Lab } from './lab.ts';
import { Writer } from './writers.ts';

export const LEDGER = '/nfs/fire/.runfold';
const TEST_MS = 2 * PATIENCE_MS;

/** Shared by the tests, which follow each other: the trouble of one is behind the next. */
interface Scene {
  follower: Follower;
  writers: Map<number, Writer>;
}

export function describeFire(lab: Lab): void {
  describe('writers on two clients, watch on a third', () => {
    const scene: Scene = {
      follower: new Follower(lab, 'login', LEDGER, '/tmp/fire.db'),
      writers: new Map(),
    };
    const writer = (number: number): Writer => {
      const found = scene.writers.get(number);
      if (found === undefined) throw new Error(`writer ${number} was not begun`);
      return found;
    };

    /** Until the table has every line for which fsync has returned by now, and each line once. */
    const arrives = async (...numbers: number[]): Promise<void> => {
      const acked = new Map(numbers.map((number) => [number, writer(number).acked]));
      await eventually('what was acknowledged is in the table', async () => {
        const steps = await scene.follower.steps();
        return numbers.every((number) => (steps.get(number)?.length ?? 0) >= (acked.get(number) ?? 0));
      });
      const steps = await scene.follower.steps();
      for (const seen of steps.values()) expect(seen).toEqual(seen.map((_, index) => index + 1));
    };

    /** Until each writer has so many more lines on the disk than it has now. */
    const goesOn = async (more: number, ...numbers: number[]): Promise<void> => {
      const before = new Map(numbers.map((number) => [number, writer(number).acked]));
      await eventually(`the writers go on: ${numbers.map((number) => writer(number).said).join('')}`, () =>
        numbers.every((number) => writer(number).acked >= (before.get(number) ?? 0) + more),
      );
    };

    const end = async (number: number): Promise<void> => {
      await writer(number).end();
      await arrives(number);
      expect((await scene.follower.steps()).get(number)?.length).toBe(writer(number).logged);
    };

    test(
      'every line of the Python, the shell and the TypeScript logger arrives, once',
      async () => {
        await lab.output('login', `mkdir -p /nfs/fire && ${RUNFOLD} init ${LEDGER}`);
        scene.follower.watch();
        const begun = [
          new Writer(lab, 'n1', 'python', 1, LEDGER),
          new Writer(lab, 'n2', 'shell', 2, LEDGER),
          new Writer(lab, 'n2', 'typescript', 3, LEDGER),
        ];
        for (const each of begun) scene.writers.set(each.number, each);
        await goesOn(5, 1, 2, 3);
        await arrives(1, 2, 3);
      },
      TEST_MS,
    );

    test.skipIf(IS_SHORT)(
      'the server loses its power under load and comes back: nothing that was acknowledged is lost',
      async () => {
        await lab.does('off', 'server');
        await lab.does('on', 'server');
        await goesOn(3, 1, 2, 3);
        await arrives(1, 2, 3);
      },
      TEST_MS,
    );

    test.skipIf(IS_SHORT)(
      'a client loses its power: every line for which fsync has returned is there, and the loss of the rest is said',
      async () => {
        await goesOn(2, 2, 3);
        await lab.does('off', 'n2');
        await arrives(2, 3);
        const steps = await scene.follower.steps();
        for (const number of [2, 3]) {
          const { logged, acked } = writer(number);
          const seen = steps.get(number)?.length ?? 0;
          expect(seen).toBeGreaterThanOrEqual(acked);
          expect(seen).toBeLessThanOrEqual(logged);
          console.log(`writer ${number}: ${logged} logged, ${acked} acknowledged, ${logged - seen} lost`);
        }
      },
      TEST_MS,
    );

    test(
      'a file that is deleted or renamed under the reader is reported, its rows stay, and it may come back',
      async () => {
        if (IS_SHORT) await end(2);
        const before = (await scene.follower.steps()).get(2);
        const [[file] = []] = (await scene.follower.rows(
          'SELECT DISTINCT f.path FROM _files f JOIN run_metrics m USING (writer) JOIN experiment_runs USING (run_id) WHERE seed = 2',
        )) as string[][];
        const at = `${LEDGER}/${file ?? ''}`;
        const states = async (): Promise<unknown[][]> =>
          await scene.follower.rows("SELECT state FROM _files WHERE state IN ('missing', 'misplaced')");
        await lab.output('n1', `mv ${at} ${at}.aside`);
        await eventually('the renamed file is missing', async () => (await states()).length === 1);
        await lab.output('n1', `mv ${at}.aside ${at}`);
        await eventually('it is back', async () => (await states()).length === 0);
        await lab.output('n1', `cp ${at} /nfs/fire/copy && rm ${at}`);
        await eventually('the deleted file is missing', async () => (await states()).length === 1);
        expect((await scene.follower.steps()).get(2)).toEqual(before);
        await lab.output('n1', `cp /nfs/fire/copy ${at}`);
        await eventually('it is back again', async () => (await states()).length === 0);
        expect((await scene.follower.steps()).get(2)).toEqual(before);
      },
      TEST_MS,
    );

    test.skipIf(IS_SHORT)(
      'the mount goes and comes back: watch says so, forgets nothing and goes on',
      async () => {
        const said = scene.follower.said.length;
        await lab.output('login', 'umount -l /nfs');
        await scene.follower.says('trouble:', said);
        expect(await scene.follower.rows("SELECT path FROM _files WHERE state = 'missing'")).toEqual([]);
        await lab.output('login', 'mount -t nfs -o vers=4.2 server:/ /nfs');
        await scene.follower.says('it works again', said);
        await goesOn(2, 1);
        await arrives(1);
      },
      TEST_MS,
    );

    test(
      'projectors on two nodes make the same tables, which are those of a rebuild',
      async () => {
        await end(1);
        if (IS_SHORT) await end(3);
        await eventually('the end of the writers has been read', async () => {
          const complete = await scene.follower.rows("SELECT 1 FROM _files WHERE state = 'complete'");
          return complete.length === (IS_SHORT ? scene.writers.size : 1);
        });
        const other = new Follower(lab, 'n1', LEDGER, '/tmp/other.db');
        expect((await other.run('sync')).code).toBe(0);
        expect(await other.tables(TABLES)).toEqual(await scene.follower.tables(TABLES));
        expect(await scene.follower.signal('INT')).toBe(0);
        const { code, stdout } = await scene.follower.run('verify');
        expect(stdout).toContain('equal: a rebuild gives the same rows');
        expect(code).toBe(0);
      },
      2 * TEST_MS,
    );
  });
}

const TABLES = ['experiment_runs', 'run_metrics', 'run_results', 'run_errors', 'slurm_jobs', '_rejected'];
