// runfold exec: any command as a tracked run, without a change to it.
import * as fs from 'node:fs';
import path from 'node:path';
import { ulid } from 'ulid';
import { mayHang } from '../../db/mounts.ts';
import { RunfoldError } from '../../errors.ts';
import { toJsonObject } from '../../events/json-safe.ts';
import { resolveRun } from '../../events/run-options.ts';
import { spoolDirectory } from '../../events/spool.ts';
import { inheritedDescriptors } from '../../exec/descriptors.ts';
import { scriptOf } from '../../exec/method-name.ts';
import { makePipes } from '../../exec/pipes.ts';
import type { ExecRun } from '../../exec/recorder.ts';
import { Recording } from '../../exec/recording.ts';
import { inheritsStdout, runCommand } from '../../exec/run-command.ts';
import { dieOf } from '../../exec/signals.ts';
import { readNameValues } from '../name-values.ts';
import type { CliIo, ExitCode } from '../io.ts';
import { hasKey, type KeyFlags } from '../options.ts';
import { mayRecorderHang } from '../recorder-place.ts';

export interface ExecFlags extends KeyFlags {
  ledger?: string;
  config?: string[];
  keyFromConfig?: string[];
  tag?: string[];
  notes?: string;
  resume?: boolean;
  grid?: string;
  row?: number;
  independent?: boolean;
  sampleEvery: number;
  logWait: number;
}

/**
 * Ends the process as the command ended, by the same exit code or signal, so it does not return once the command runs.
 *
 * @throws RunfoldError `usage` or `invalid_key`, before anything is run or written
 */
export async function exec(operands: readonly string[], flags: ExecFlags, io: CliIo): Promise<ExitCode> {
  const given = wordsAfterDashes(operands, io.args ?? []);
  const descriptors = io.recorder?.descriptors ?? inheritedDescriptors(given);
  // made while the rest is read: that takes another process
  const folders = [io.env['TMPDIR'] || '/tmp', '/tmp', '/dev/shm'];
  const pipes = makePipes(inheritsStdout() ? 1 : 2, localFirst(folders));
  const { run, words } =
    flags.grid === undefined ? ofFlags(flags, given, io) : await ofGrid(flags, flags.grid, given, io);
  const now = (): number => io.clock.now();
  const env = flags.independent === true ? { ...io.env, RUNFOLD_INDEPENDENT: '1' } : io.env;
  const startedAt = now();
  const { ledger } = flags;
  const facts = {
    run,
    words,
    ledger,
    startedAt,
    pid: process.pid,
    writer: ulid(startedAt),
    attempt: undefined,
  };
  const canSpool = !mayHang(spoolDirectory(env, process.getuid?.()));
  const apart = mayRecorderHang(ledger, env) ? { canSpool, child: io.recorder?.child } : undefined;
  if (apart === undefined) io.recorder?.child?.disconnect();
  const recording = new Recording({ facts, env, now, apart });
  if (isArrayAsOneRun(flags, io)) {
    recording.say(
      'all tasks of this array are one run, since nothing in the key tells them apart; give --seed "$SLURM_ARRAY_TASK_ID" or --grid <file>',
    );
  }
  const made = await pipes;
  // from here to where it listens there is no turn of the loop: a signal in it would be heard by nobody
  const end = await runCommand({
    words,
    env,
    recording,
    early: io.endedBy,
    logWaitMs: flags.logWait * 1000,
    pipes: made,
    descriptors,
    sampleEverySeconds: flags.sampleEvery,
    now,
  });
  leaveTerminal();
  if (end.kind === 'killed') return dieOf(end.signal);
  // an ordinary end would wait for what still hangs, such as a question to nvidia-smi
  process.exit(end.code);
}

function localFirst(folders: readonly string[]): string[] {
  return folders.toSorted((one, other) => Number(mayHang(one)) - Number(mayHang(other)));
}

/** Node sets the modes of its terminal back when it ends, and crashes if that has gone; here nothing has changed them. */
function leaveTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      if (fs.fstatSync(fd).isCharacterDevice()) fs.closeSync(fd);
    } catch {
      // it is closed already
    }
  }
}

function isArrayAsOneRun(flags: ExecFlags, { env }: CliIo): boolean {
  const isTold = hasKey(flags) || flags.keyFromConfig !== undefined || flags.grid !== undefined;
  return Boolean(env['SLURM_ARRAY_TASK_ID']) && !isTold;
}

interface Task {
  run: ExecRun;
  words: readonly string[];
}

function wordsAfterDashes(operands: readonly string[], args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--');
  const words = dashes === -1 ? [] : args.slice(dashes + 1);
  if (words.length > 0 && words.length === operands.length) return words;
  throw new RunfoldError('usage', 'the command goes after --', {
    hint: 'For example: runfold exec --dataset iris --seed 1 -- python3 train.py --lr 0.1',
  });
}

function ofFlags(flags: ExecFlags, words: readonly string[], io: CliIo): Task {
  if (flags.row !== undefined) throw new RunfoldError('usage', '--row is a row of --grid <file>');
  const { key, runId, config } = resolveRun(
    {
      experiment_number: flags.experimentNumber,
      dataset: flags.dataset,
      method: flags.method,
      subject: flags.subject,
      clInfo: flags.clInfo,
      seed: flags.seed,
      config: configOf(flags),
      keyFromConfig: flags.keyFromConfig,
    },
    scriptOf(words),
  );
  return { run: { runId, key, config, ...saidOf(flags, io) }, words };
}

async function ofGrid(flags: ExecFlags, file: string, words: readonly string[], io: CliIo): Promise<Task> {
  if (hasKey(flags)) {
    throw new RunfoldError('usage', 'the key comes from the grid', {
      hint: 'Leave the options of the key out, or make them columns of the grid.',
    });
  }
  // loaded here: a parser of CSV is not for every start
  const [{ gridRow }, { commandWords }, { watched }] = await Promise.all([
    import('../grid-file.ts'),
    import('../../grid/command-words.ts'),
    import('../watched.ts'),
  ]);
  const asked = { keyFromConfig: flags.keyFromConfig, row: flags.row };
  const row = watched([path.resolve(io.cwd, file)], io, '', () => gridRow(file, asked, io));
  const config = { ...configOf(flags), ...row.config };
  const { runId, key } = row;
  return { run: { runId, key, config, ...saidOf(flags, io) }, words: commandWords(words, row) };
}

function saidOf(flags: ExecFlags, { env }: CliIo): Pick<ExecRun, 'tags' | 'notes' | 'resume'> {
  // a job that SLURM has put back goes on, if it can, where it was
  const isRestarted = Number(env['SLURM_RESTART_COUNT'] ?? 0) > 0;
  return { tags: flags.tag, notes: flags.notes, resume: flags.resume ?? isRestarted };
}

function configOf({ config }: ExecFlags): Readonly<Record<string, unknown>> | undefined {
  if (config === undefined) return undefined;
  const [first = ''] = config;
  const bare = first.startsWith('{') ? undefined : config.find((part) => !part.includes('='));
  const values = bare === undefined ? toJsonObject(readNameValues(config)) : undefined;
  if (values !== undefined) return values;
  throw new RunfoldError(
    'usage',
    `--config: ${JSON.stringify(bare ?? first)} is no name=value, nor a JSON object`,
    {
      hint: 'For example: --config lr=0.1 epochs=20 -- …',
    },
  );
}
