// How jobs end on a real cluster, and what runfold says of their runs after it has asked SLURM.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../process/until.ts';
import { UNTIL_LOGGED, type Desk, type Lab } from './lab.ts';

/** All end at about the same time; the slowest are those that SLURM ends at a time limit, which it checks every 30 s. */
const ALL_MS = 420_000;

/** What the user finds: one row for each run. */
interface Found {
  status: string;
  status_reason: string | null;
  exit_code: number | null;
  attempt_count: number;
}

interface Scenario {
  name: string;
  /** Lines of the job's script; the run's data set is named as the scenario. */
  script: string;
  sbatch?: readonly string[];
  /** What happens to it from outside, as soon as it runs (`trained` is in its folder). */
  then?: (lab: Lab, job: string) => Promise<unknown>;
  /** Other files that it needs. */
  files?: Readonly<Record<string, string>>;
  finds: Partial<Found>;
  /** As `runfold failures` calls it; none if it did not fail. */
  cause?: string;
}

const FAILING_NODE = 'node4';

const EXEC = (name: string): string => `runfold exec --dataset ${name} --method m --sample-every 0`;
/** Says that it has begun, then waits for its end. */
const WAIT = `python3 -c 'import time; open("%","w"); time.sleep(600)'`;
const wait = (name: string): string => WAIT.replace('%', `${name}.began`);
const HUNGRY = `python3 -c 'x = [b"x" * (1 << 20) for _ in range(4000)]'`;
const soon = (lab: Lab, job: string): Promise<string> =>
  lab.administer('scontrol', 'update', `jobid=${job}`, 'EndTime=now+5');

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'completed',
    script: `exec ${EXEC('completed')} -- true`,
    finds: { status: 'completed', exit_code: 0 },
  },
  {
    name: 'exit-3',
    script: `exec ${EXEC('exit-3')} -- sh -c 'exit 3'`,
    finds: { status: 'failed', exit_code: 3, status_reason: null },
  },
  {
    name: 'exception',
    script: 'exec python3 fails.py',
    files: {
      'fails.py':
        'import runfold\nrunfold.init(dataset="exception", method="m")\nraise ValueError("bad shape")\n',
    },
    finds: { status: 'failed', exit_code: 1 },
    cause: 'ValueError',
  },
  {
    name: 'segfault',
    script: `${EXEC('segfault')} -- python3 -c 'import ctypes; ctypes.string_at(0)'`,
    finds: { status: 'failed', status_reason: 'SIGSEGV', exit_code: 139 },
    cause: 'SIGSEGV',
  },
  {
    name: 'wrapper-killed',
    // nobody is left who could say a word: SLURM’s exit code is that of the script
    script: `${EXEC('wrapper-killed')} -- ${wait('wrapper-killed')} &\n${UNTIL_LOGGED}\nkill -KILL $!\nwait $!`,
    finds: { status: 'failed', exit_code: 137 },
  },
  {
    name: 'time-limit',
    script: `${EXEC('time-limit')} -- ${wait('time-limit')}`,
    then: soon,
    finds: { status: 'timeout', status_reason: 'TIMEOUT' },
    cause: 'TIMEOUT',
  },
  {
    name: 'time-limit-warned',
    script: `exec ${EXEC('time-limit-warned')} -- ${wait('time-limit-warned')}`,
    sbatch: ['--signal=B:USR1@10'],
    then: (lab, job) => lab.administer('scontrol', 'update', `jobid=${job}`, 'EndTime=now+30'),
    finds: { status: 'timeout', status_reason: 'TIMEOUT' },
    cause: 'TIMEOUT',
  },
  {
    name: 'cancelled',
    script: `exec ${EXEC('cancelled')} -- ${wait('cancelled')}`,
    then: (lab, job) => lab.administer('scancel', job),
    finds: { status: 'failed', status_reason: 'CANCELLED' },
    cause: 'CANCELLED',
  },
  {
    name: 'node-failure',
    script: `exec ${EXEC('node-failure')} -- ${wait('node-failure')}`,
    sbatch: ['--no-requeue'],
    then: async (lab) => {
      await lab.administer('kill-node', FAILING_NODE);
      await lab.administer('scontrol', 'update', `nodename=${FAILING_NODE}`, 'state=down', 'reason=test');
    },
    finds: { status: 'failed', status_reason: 'NODE_FAIL' },
    cause: 'NODE_FAIL',
  },
  {
    name: 'out-of-memory',
    script: `${EXEC('out-of-memory')} -- ${HUNGRY}`,
    sbatch: ['--mem=150M'],
    finds: { status: 'failed', status_reason: 'OUT_OF_MEMORY' },
    cause: 'OUT_OF_MEMORY',
  },
  {
    name: 'step-out-of-memory',
    script: `srun --mem=150M ${EXEC('step-out-of-memory')} -- ${HUNGRY}\nexit 0`,
    sbatch: ['--mem=400M'],
    finds: { status: 'failed', status_reason: 'OUT_OF_MEMORY' },
    cause: 'OUT_OF_MEMORY',
  },
  {
    name: 'requeued',
    script: `[ -e requeued.began ] && exec ${EXEC('requeued')} -- true\nexec ${EXEC('requeued')} -- ${wait('requeued')}`,
    sbatch: ['--requeue'],
    then: (lab, job) => lab.administer('scontrol', 'requeue', job),
    finds: { status: 'completed', attempt_count: 2, exit_code: 0 },
  },
];

/** The node that fails would take other jobs with it, and SLURM starts those anew on another. */
function awayFrom(name: string): string[] {
  return name === 'node-failure' ? [`--nodelist=${FAILING_NODE}`] : [`--exclude=${FAILING_NODE}`];
}

export function describeEnds(lab: Lab): void {
  describe('after `slurm refresh` a run tells how its job ended', () => {
    let desk: Desk;
    const found = new Map<string, Found>();
    let causes: { cause: string; run_ids: string[] }[] = [];
    const ids = new Map<string, string>();

    beforeAll(async () => {
      desk = lab.desk('ends');
      await desk.does('runfold', 'init', '.runfold');
      const jobs = await Promise.all(
        SCENARIOS.map(async ({ name, script, sbatch = [], files = {} }) => {
          for (const [file, content] of Object.entries(files)) desk.write(file, content);
          return await desk.submitsScript(name, script, '--mem=200M', ...awayFrom(name), ...sbatch);
        }),
      );
      await Promise.all(
        SCENARIOS.map(async ({ name, then }, index) => {
          const job = jobs[index] ?? '';
          if (then !== undefined) {
            await until(`${name} has begun`, () => desk.has(`${name}.began`), ALL_MS);
            await then(lab, job);
          }
          await lab.ends(job);
        }),
      );
      // accounting comes a little after the queue
      await until(
        'SLURM’s accounting has their ends',
        async () => {
          await desk.does('runfold', 'slurm', 'refresh', '--force');
          const open = await desk.query(`SELECT run_id FROM slurm_jobs WHERE ended_at IS NULL`);
          return open.length === 0;
        },
        ALL_MS,
      );
      const rows = await desk.query('SELECT * FROM experiment_runs');
      for (const row of rows) {
        found.set(String(row['dataset']), row as unknown as Found);
        ids.set(String(row['dataset']), String(row['run_id']));
      }
      causes = (await desk.json('failures')) as typeof causes;
    }, 2 * ALL_MS);

    afterAll(async () => {
      await lab.administer('start-node', FAILING_NODE);
      await lab
        .administer('scontrol', 'update', `nodename=${FAILING_NODE}`, 'state=resume')
        .catch(() => undefined);
    });

    test.each(SCENARIOS)('$name', ({ name, finds, cause }) => {
      expect(found.get(name)).toMatchObject({ attempt_count: 1, ...finds });
      const group = causes.find(({ run_ids }) => run_ids.includes(ids.get(name) ?? ''));
      if (cause !== undefined) expect(group?.cause).toBe(cause);
      if (finds.status === 'completed') expect(group).toBeUndefined();
    });

    test('asking again finds nothing new, and makes no line', async () => {
      const lines = async (): Promise<string> =>
        await desk.does('sh', '-c', 'cat .runfold/events/*/* | wc -l');
      const before = await lines();
      expect(await desk.run('runfold', 'slurm', 'refresh', '--force')).toMatchObject({ code: 0 });
      expect(await lines()).toBe(before);
    });

    test('the database is what the log says', async () => {
      expect(await desk.run('runfold', 'verify')).toMatchObject({ code: 0 });
    });
  });
}
