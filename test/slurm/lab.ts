// A real SLURM cluster on this machine, and somebody who works on it: scripts in a folder, sbatch, runfold.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtDir } from '../helpers/built.ts';
import { ROOT } from '../helpers/documents.ts';
import { until } from '../process/until.ts';
import { cleanEnv, Started, type Ended } from '../process/cli-process.ts';

const SCRIPT = fileURLToPath(new URL('../../../shared/labs/slurm/slurm-lab.sh', import.meta.url));
const USER = 'slurmtest';
const DAEMONS = ['slurmctld', 'slurmd', 'slurmdbd', 'munged', 'mariadbd', 'setpriv'];
/** Until a job that was submitted has come to its end. */
const JOB_MS = 240_000;

/** Why there can be no cluster here, undefined where there can. */
export function whyNoLab(): string | undefined {
  if (!fs.existsSync(SCRIPT)) return 'the scripts that start a cluster are not there';
  if (process.getuid?.() !== 0) return 'only root can start a cluster';
  const missing = DAEMONS.filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`], { env: WITH_SBIN }).status !== 0,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

const WITH_SBIN = { ...process.env, PATH: `/usr/sbin:/sbin:${process.env['PATH'] ?? ''}` };

/** For the script of a job: until its run is known to run. */
export const UNTIL_LOGGED = `until grep -qs '"running"' .runfold/events/*/*-slurm$SLURM_JOB_ID.ndjson; do sleep 0.1; done`;

export interface LabJob {
  /** `12`, or `12_3` for a task. */
  id: string;
  state: string;
}

export class Lab {
  /** Shared storage, as it were: all nodes are this machine. */
  readonly folder = fs.mkdtempSync('/var/tmp/runfold-lab-');
  #wasUp = false;

  /** @throws if the cluster does not come up. */
  start(): void {
    this.#wasUp = this.#try(['status']).stdout.includes('slurmctld') && this.#ping();
    const { status, stderr } = this.#try(['up']);
    if (status !== 0) throw new Error(`the cluster did not come up: ${stderr}`);
    fs.chmodSync(this.folder, 0o755);
    fs.mkdirSync(path.join(this.folder, 'bin'));
    this.command('runfold', `exec '${process.execPath}' '${path.join(builtDir(), 'cli/main.js')}' "$@"`);
    // the one that the jobs find first must be one that they may read
    this.command('python3', 'exec /usr/bin/python3 "$@"');
    const { status: readable } = this.#try(['run', 'test', '-r', path.join(builtDir(), 'cli/main.js')]);
    if (readable !== 0)
      throw new Error(`the user ${USER} cannot read ${builtDir()}: clone into a folder that all may read`);
  }

  /** Ends the jobs, and the cluster if it was started here. */
  stop(): void {
    if (this.#wasUp) this.#try(['run', 'scancel', '-u', USER]);
    else this.#try(['down']);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  command(name: string, script: string): void {
    fs.writeFileSync(path.join(this.folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /** A folder of the user, with copies of these files. */
  desk(name: string, files: readonly string[] = []): Desk {
    const folder = path.join(this.folder, name);
    fs.mkdirSync(folder);
    for (const file of files)
      fs.cpSync(path.join(ROOT, file), path.join(folder, path.basename(file)), { recursive: true });
    spawnSync('chown', ['-R', USER, folder]);
    return new Desk(this, folder);
  }

  /** As the user, who has nothing in the environment but what is given. */
  async run(
    command: readonly string[],
    options: { cwd: string; env?: Readonly<Record<string, string>> },
  ): Promise<Ended> {
    const env = {
      PATH: `${path.join(this.folder, 'bin')}:/usr/bin:/bin`,
      PYTHONPATH: path.join(ROOT, 'clients/python'),
      ...options.env,
    };
    const given = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const child = spawn(SCRIPT, ['run', 'env', ...given, ...command], { cwd: options.cwd, env: cleanEnv() });
    child.stdin.end();
    return await new Started(child).ended;
  }

  /** As root: `scontrol update …` of jobs and nodes, outages. */
  async administer(...words: string[]): Promise<string> {
    const isLab = /^(?:kill|start|stop)-/.test(words[0] ?? '');
    const [command = '', ...args] = isLab ? [SCRIPT, ...words] : words;
    const env = { ...cleanEnv(WITH_SBIN as Record<string, string>), SLURM_CONF: this.configuration };
    const started = new Started(spawn(command, args, { env }));
    const { code, stdout, stderr } = await started.ended;
    if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
    return stdout;
  }

  get configuration(): string {
    const said = this.#try(['env']).stdout;
    return /SLURM_CONF=(\S+)/.exec(said)?.[1] ?? '';
  }

  /** All jobs of the queue and those that ended in the last minutes, one for each task. */
  async jobs(): Promise<LabJob[]> {
    const said = await this.administer('squeue', '-h', '-r', '-t', 'all', '-o', '%i|%T');
    return said
      .split('\n')
      .filter((line) => line.includes('|'))
      .map((line) => line.split('|'))
      .map(([id = '', state = '']) => ({ id, state }));
  }

  /** Until the job, or each of its tasks, is in one of these states. */
  async reaches(job: string, ...states: string[]): Promise<void> {
    let last: readonly LabJob[] = [];
    await until(
      `job ${job} is ${states.join(' or ')}`,
      async () => {
        last = (await this.jobs()).filter(({ id }) => id === job || id.startsWith(`${job}_`));
        return last.length > 0 && last.every(({ state }) => states.includes(state));
      },
      JOB_MS,
    ).catch((error: unknown) => {
      throw new Error(`${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** Until the accounting has the end of a job, which is a little later. */
  async accounted(job: string): Promise<void> {
    await until(`sacct knows the end of ${job}`, async () => {
      const said = await this.administer('sacct', '-X', '-n', '-P', '-j', job, '-o', 'End');
      return /^\d{4}-/.test(said);
    });
  }

  async ends(job: string): Promise<void> {
    await this.reaches(job, ...ENDED);
  }

  #ping(): boolean {
    return (
      spawnSync('scontrol', ['ping'], { env: { ...WITH_SBIN, SLURM_CONF: this.configuration } }).status === 0
    );
  }

  #try(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(SCRIPT, args, { encoding: 'utf8', env: cleanEnv(), cwd: '/' });
  }
}

const ENDED = [
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'TIMEOUT',
];

/** One log, and what its owner types. */
export class Desk {
  readonly folder: string;
  readonly #lab: Lab;

  constructor(lab: Lab, folder: string) {
    this.#lab = lab;
    this.folder = folder;
  }

  get env(): Record<string, string> {
    return { RUNFOLD_DIR: path.join(this.folder, '.runfold'), RUNFOLD_DB: path.join(this.folder, 'runs.db') };
  }

  write(name: string, content: string): void {
    fs.writeFileSync(path.join(this.folder, name), content);
  }

  has(name: string): boolean {
    return fs.existsSync(path.join(this.folder, name));
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.folder, name), 'utf8');
  }

  async run(...command: string[]): Promise<Ended> {
    return await this.#lab.run(command, { cwd: this.folder, env: this.env });
  }

  async does(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** The id of the job. */
  async submits(...args: string[]): Promise<string> {
    return (await this.does('sbatch', '--parsable', ...args)).trim();
  }

  /** A job of these lines, after `#!/bin/sh`. */
  async submitsScript(name: string, lines: string, ...args: string[]): Promise<string> {
    this.write(`${name}.sbatch`, `#!/bin/sh\n${lines}\n`);
    return await this.submits(`--job-name=${name}`, `--output=${name}.%j.out`, ...args, `${name}.sbatch`);
  }

  /** Of the commands of SLURM all but these. */
  async pathWithout(...names: string[]): Promise<string> {
    const folder = `bin-${names.join('-')}`;
    const kept = ['squeue', 'sacct', 'scontrol'].filter((name) => !names.includes(name));
    const links = ['sh', 'env', ...kept].map((name) => `ln -sf "$(command -v ${name})" ${folder}/${name}`);
    await this.does(
      'sh',
      '-c',
      [`mkdir -p ${folder}`, `ln -sf "$(command -v runfold)" ${folder}/runfold`, ...links].join(' && '),
    );
    return path.join(this.folder, folder);
  }

  async json(...command: string[]): Promise<unknown> {
    return JSON.parse(await this.does('runfold', ...command, '--json'));
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.json('sql', sql)) as Record<string, unknown>[];
  }
}
