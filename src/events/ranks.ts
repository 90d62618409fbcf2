// Which process of a parallel launch writes what, and the attempt that all of them share without talking.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { attemptFromEnv, type Env } from './env.ts';

export interface RankRole {
  /** `all`: what a lone process writes. `points`: metrics, errors and samples only. */
  writes: 'all' | 'points' | 'nothing';
  /** The attempt that the ranks share; undefined where none is needed or none can be derived. */
  attempt: string | undefined;
  /** Why a rank that was asked to write stays silent, as a sentence. */
  problem: string | undefined;
}

export interface RoleOptions {
  env: Env;
  host: string;
  allRanks: boolean;
  /** Whether the processes of the launch have a run each; default false. */
  independent?: boolean;
  /** Reads a file under /proc, undefined if it cannot be read. */
  readProc?: (path: string) => string | undefined;
  parentPid?: number;
}

const RANK_VARIABLES = ['RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'] as const;

/** The highest rank that a launcher gave this process, undefined if none did. */
export function rankOf(env: Env): number | undefined {
  const ranks = RANK_VARIABLES.map((name) => env[name] ?? '').filter((text) => /^\d+$/.test(text));
  return ranks.length === 0 ? undefined : Math.max(...ranks.map(Number));
}

/** Whether it was said that the processes of this launch have a run each: no variable of a launcher tells that. */
export function isIndependent(env: Env): boolean {
  return !['', '0'].includes(env['RUNFOLD_INDEPENDENT'] ?? '');
}

export function roleOf(options: RoleOptions): RankRole {
  const rank = options.independent === true ? undefined : rankOf(options.env);
  if (rank === undefined) return { writes: 'all', attempt: undefined, problem: undefined };
  if (!options.allRanks)
    return { writes: rank > 0 ? 'nothing' : 'all', attempt: undefined, problem: undefined };
  const attempt = attemptFromEnv(options.env) ?? launchAttempt(options);
  if (rank === 0) return { writes: 'all', attempt, problem: undefined };
  if (attempt !== undefined) return { writes: 'points', attempt, problem: undefined };
  const problem = `rank ${rank} logs nothing: nothing here tells this launch from others. Set RUNFOLD_ATTEMPT to a new value for each launch, the same on all ranks.`;
  return { writes: 'nothing', attempt: undefined, problem };
}

/** The attempt of the nth execution (from 0) of one run in a process, when all ranks do the same. */
export function nthAttempt(attempt: string, n: number): string {
  return n === 0 ? attempt : hash([attempt, String(n)]);
}

/**
 * From what is the same on all ranks of this launch and on no other one's. A MASTER_PORT alone is not: it is fixed
 * in many scripts.
 */
function launchAttempt(options: RoleOptions): string | undefined {
  const { env } = options;
  const identity = singleNodeTorch(options) ?? mpiLaunch(options) ?? slurmStep(env);
  return identity === undefined ? undefined : hash(identity);
}

/** Under torchrun on one node all ranks have one parent, the agent; it may start them several times. */
function singleNodeTorch(options: RoleOptions): string[] | undefined {
  const { env } = options;
  if (env['TORCHELASTIC_RUN_ID'] === undefined || !areSame(env['LOCAL_WORLD_SIZE'], env['WORLD_SIZE']))
    return undefined;
  const launcher = launcherOf('RANK', options);
  return launcher && ['torch', ...launcher, env['TORCHELASTIC_RESTART_COUNT'] ?? '0'];
}

function mpiLaunch(options: RoleOptions): string[] | undefined {
  const { env } = options;
  if (env['OMPI_COMM_WORLD_RANK'] === undefined) return undefined;
  const isOneNode = areSame(env['OMPI_COMM_WORLD_LOCAL_SIZE'], env['OMPI_COMM_WORLD_SIZE']);
  const launcher = isOneNode ? launcherOf('OMPI_COMM_WORLD_RANK', options) : undefined;
  if (launcher !== undefined) return ['mpi', ...launcher, ...torchRound(env)];
  // the address of mpirun holds its port and a number made of its host and pid; a namespace its host and pid
  const mpirun = env['OMPI_MCA_orte_hnp_uri'] ?? env['PMIX_NAMESPACE'];
  if (mpirun === undefined) return undefined;
  return ['mpi', mpirun, env['SLURM_JOB_ID'] ?? '', env['SLURM_RESTART_COUNT'] ?? '0', ...torchRound(env)];
}

/** Only where srun has started the ranks: one job, and a step of one task, can hold many launches of something else. */
function slurmStep(env: Env): string[] | undefined {
  const job = env['SLURM_JOB_ID'];
  const step = env['SLURM_STEP_ID'];
  if (!job || !step || env['SLURM_STEP_NUM_TASKS'] === '1') return undefined;
  const cluster = env['SLURM_CLUSTER_NAME'] ?? '';
  return ['slurm', cluster, job, step, env['SLURM_RESTART_COUNT'] || '0', ...torchRound(env)];
}

/**
 * Tells several torchruns of one outer launch apart. Without TORCHELASTIC_RESTART_COUNT: after a failure only the
 * agent of the failed node counts it.
 */
function torchRound(env: Env): string[] {
  if (env['TORCHELASTIC_RUN_ID'] === undefined) return [];
  return ['torch', env['TORCHELASTIC_RUN_ID'], env['MASTER_PORT'] ?? ''];
}

function areSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one === other;
}

const MAX_WRAPPERS = 8;

/**
 * Host, boot, pid and start time of the process that started the ranks: the nearest one above this that has no
 * rank in its environment, since between them there can be a shell script or a wrapper for each rank.
 */
function launcherOf(rankVariable: string, options: RoleOptions): string[] | undefined {
  const { readProc = readProcFile, parentPid = process.ppid, host } = options;
  const boot = readProc('/proc/sys/kernel/random/boot_id')?.trim();
  let pid = String(parentPid);
  for (let wrappers = 0; wrappers < MAX_WRAPPERS; wrappers += 1) {
    const stat = readProc(`/proc/${pid}/stat`);
    if (stat === undefined || boot === undefined) return undefined;
    // the name in parentheses may hold anything; after it come the state, the parent, …, the start time
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [, parent, startTime] = [fields[0], fields[1], fields[19]];
    if (parent === undefined || startTime === undefined) return undefined;
    const environment = readProc(`/proc/${pid}/environ`) ?? '';
    if (!`\0${environment}`.includes(`\0${rankVariable}=`)) return [host, boot, pid, startTime];
    pid = parent;
  }
  return undefined;
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // not Linux, or another user's process: the launch cannot be told by it, which the caller handles
    return undefined;
  }
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
