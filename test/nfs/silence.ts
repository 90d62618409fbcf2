// The server's kernel is stopped: its clients wait for ever, and nobody has to wait with them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Follower } from './follower.ts';
import { eventually, PATIENCE_MS, RUNFOLD, type Lab } from './lab.ts';
import type { Started } from '../process/cli-process.ts';
import { Writer } from './writers.ts';

const LEDGER = '/nfs/silence/.runfold';
const TEST_MS = 2 * PATIENCE_MS;

interface Storage {
  storage: { state: string; since: string | null; path: string | null; pid: number | null };
}

export function describeSilence(lab: Lab): void {
  describe('a server that does not answer', () => {
    const follower = new Follower(lab, 'login', LEDGER, '/tmp/silence.db');
    let writer: Writer;
    let here: Started;
    let hungAt = 0;

    beforeAll(async () => {
      await lab.output('login', `mkdir -p /nfs/silence && ${RUNFOLD} init ${LEDGER}`);
      writer = new Writer(lab, 'n1', 'python', 11, LEDGER);
      follower.watch();
      await eventually('there are rows', async () => {
        return follower.said.includes('new event') && ((await follower.steps()).get(11)?.length ?? 0) > 0;
      });
      // this shell has its working directory on the mount, and knows the log from before
      const ask = `${RUNFOLD} status --json 2>/dev/null >/lab/here.json; echo $? >/lab/here.code`;
      here = lab.begin(
        'login',
        `cd /nfs/silence; ${RUNFOLD} status >/lab/here.before 2>&1; touch /lab/is-here; until [ -e /lab/is-hung ]; do sleep 0.2; done; ${ask}`,
      );
      await eventually('the shell is there', () => lab.has('is-here'));
      hungAt = Date.now();
      await lab.does('hang', 'server');
      lab.write('is-hung', '');
    }, TEST_MS);

    afterAll(async () => {
      await lab.does('resume', 'server');
    }, TEST_MS);

    test(
      'a training goes on meanwhile',
      async () => {
        const { logged } = writer;
        await eventually('more is logged', () => writer.logged > logged + 3);
      },
      TEST_MS,
    );

    test(
      'watch says since when, and at which path',
      async () => {
        await follower.says('the storage has not answered since');
        const since = /has not answered since (\S+Z): (\S+);/.exec(follower.said);
        expect(Date.parse(since?.[1] ?? '')).toBeGreaterThan(hungAt - 60_000);
        expect(since?.[2]).toMatch(/^(?:ledger\.json|events)/);
      },
      TEST_MS,
    );

    test(
      'status and queries answer from the database, with exit code 0',
      async () => {
        const { code, stdout } = await follower.run('status --json 2>/dev/null');
        const { storage } = JSON.parse(stdout) as Storage;
        expect(storage.state).toBe('hangs');
        expect(Date.parse(storage.since ?? '')).toBeGreaterThan(hungAt - 60_000);
        expect(code).toBe(0);
        const runs = await follower.run('runs');
        expect(runs.stdout).toMatch(/the storage has not answered since \S+Z \(\S+\): as of /);
        expect(runs.stdout).toMatch(/^\S+ +running +nfs +python/m);
        expect(runs.code).toBe(0);
      },
      TEST_MS,
    );

    test(
      'a shell in a folder that hangs is answered too',
      async () => {
        await here.ended;
        expect(lab.read('here.code')).toBe('0\n');
        expect((JSON.parse(lab.read('here.json')) as Storage).storage.state).toBe('hangs');
      },
      TEST_MS,
    );

    test(
      'Ctrl-C ends a watch that hangs and one that waits for the storage',
      async () => {
        expect(await follower.signal('INT')).toBe(130);
        follower.watch();
        await eventually('it waits', () => follower.said.includes('waiting for it'));
        expect(await follower.signal('TERM')).toBe(1);
      },
      TEST_MS,
    );

    test(
      'when the server answers again nothing is lost, and the storage is said to answer',
      async () => {
        await lab.does('resume', 'server');
        const { logged } = writer;
        await eventually('what was logged meanwhile is on the disk', () => writer.acked >= logged);
        await writer.end();
        const { stdout } = await follower.run('status --json 2>/dev/null');
        expect((JSON.parse(stdout) as Storage).storage.state).toBe('ok');
        const steps = (await follower.steps()).get(11) ?? [];
        expect(steps).toEqual(Array.from({ length: writer.logged }, (_, index) => index + 1));
      },
      TEST_MS,
    );
  });
}
