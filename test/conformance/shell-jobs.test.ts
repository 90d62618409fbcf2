// What runfold.sh does to the job script around it, and what reaches the log when things go wrong.
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLedger } from '../../src/events/ledger.ts';
import type { EventOf } from '../../src/events/event.ts';
import { runId } from '../../src/events/run-id.ts';
import { eventFiles, numbersTo, readLines, readOnlyFile, seqsOf } from '../events/read-lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';
import { builtUrl } from '../helpers/built.ts';
import { quoted, RUNFOLD_SH } from './shell-script.ts';
import { shellBench, storyOf, type ShellBench } from './shells.ts';
import { MAIN_SHELLS, runProcess } from './writers.ts';

const OPEN = 'runfold_open --dataset iris --method mlp --seed 1\n';

it('says the version of the package', () => {
  const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { version: string };
  expect(fs.readFileSync(RUNFOLD_SH, 'utf8')).toContain(`\n_runfold_version=${version}\n`);
});

describe.each(MAIN_SHELLS)('$name', ({ words: shell, isMissing }) => {
  describe.skipIf(isMissing)('in a process of its own', () => {
    describe('the end of a script', () => {
      it.each([
        ['falls off its end', '', 0, 'completed 0'],
        ['exits with 7', 'exit 7', 7, 'failed 7'],
        ['is ended by set -e', 'set -e; false; echo not here', 1, 'failed 1'],
        ['was closed with an exit code', 'runfold_close 3; exit 4', 4, 'failed 3'],
        ['was closed', 'runfold_close; exit 4', 4, 'completed'],
        ['had its end said', 'runfold_status timeout --reason "wall time"; exit 4', 4, 'timeout wall time'],
      ])('%s', async (_, body, code, story) => {
        const bench = shellBench(shell);
        expect(await bench.run(`${OPEN}${body}\n`)).toMatchObject({ code, stdout: '', stderr: '' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', story]);
      });

      it('runs the trap of the script after ours, with the exit code', async () => {
        const bench = shellBench(shell);
        const trap = `trap 'echo "it'"'"'s over: $?"\ntrap -- "line" INT; echo "\\"q\\""' EXIT\n`;
        const ended = await bench.run(`set -eu\n${trap}${OPEN}exit 5\n`);
        expect(ended).toMatchObject({ code: 5, stdout: `it's over: 5\n"q"\n`, stderr: '' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'failed 5']);
      });

      it('runs a trap of the script once, however often runs are opened', async () => {
        const bench = shellBench(shell);
        const loop = 'for seed in 1 2 3; do runfold_open --seed $seed; runfold_close; done\n';
        const ended = await bench.run(`trap '"echo" bye' EXIT\n${loop}`);
        expect(ended).toMatchObject({ code: 0, stdout: 'bye\n', stderr: '' });
        expect(bench.files().length).toBe(3);
      });

      it('dies of SIGTERM as it would without us', async () => {
        const bench = shellBench(shell);
        const job = bench.start(`${OPEN}echo ready >&2\nwhile :; do sleep 0.05; done\n`);
        await job.says('ready');
        job.kill('SIGTERM');
        expect(await job.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'failed SIGTERM']);
      });

      it('leaves SIGTERM to a trap of the script, and records what that exits with', async () => {
        const bench = shellBench(shell);
        const trap = `trap 'echo saving; exit 143' TERM\n`;
        const job = bench.start(`${trap}${OPEN}echo ready >&2\nwhile :; do sleep 0.05; done\n`);
        await job.says('ready');
        job.kill('SIGTERM');
        expect(await job.ended).toMatchObject({ code: 143, stdout: 'saving\n' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'failed 143 SIGTERM']);
      });

      it('loses no line to a SIGTERM that comes while one is written', async () => {
        const bench = shellBench(shell);
        const trap = `trap 'runfold_error Signal "TERM came"; exit 1' TERM\n`;
        const job = bench.start(`${trap}${OPEN}while :; do runfold_metric --loss 1; echo x >&2; done\n`);
        await job.says('x\nx\nx\n');
        job.kill('SIGTERM');
        await job.ended;
        const story = storyOf(bench.events());
        expect(story.slice(-2)).toEqual(['error', 'failed 1 SIGTERM']);
      });

      it('does not end a signal that is ignored', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`trap '' TERM\n${OPEN}kill -TERM $$\necho alive\n`);
        expect(ended).toMatchObject({ code: 0, stdout: 'alive\n' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'completed 0']);
      });
    });

    describe('one process, one file', () => {
      it('gives every subshell its own, in the attempt of the run', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`set -eu\n${OPEN}
        for part in 1 2 3 4; do
          ( for step in 1 2 3; do runfold_metric --step $part$step loss=$step; done ) &
        done
        printf '%s\\n' 51 52 | while read -r step; do runfold_metric --step $step loss=1; done
        runfold_metric --step 61 loss=1
        wait
      `);
        expect(ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
        const files = bench.files();
        expect(files.length).toBe(6);
        const steps = files.flatMap(({ events }) =>
          events.flatMap((event) => (event.type === 'metric' ? [event.step] : [])),
        );
        expect(steps.toSorted()).toEqual([11, 12, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43, 51, 52, 61]);
        const outcome = await passOver(bench.ledger);
        expect(outcome.findings()).toEqual([]);
        outcome.expectRun({ attempt_count: 1, status: 'completed' });
      });

      it('gives what runs below it the run and the attempt, and takes them away again', async () => {
        const bench = shellBench(shell);
        const child = path.join(bench.dir, 'train.mjs');
        fs.writeFileSync(
          child,
          `import { RunLogger } from '${builtUrl('logger.js')}';
         const run = RunLogger.create({ dataset: 'iris', method: 'mlp', seed: 1 });
         if (run.runId !== process.env.RUNFOLD_RUN_ID) throw new Error('another run');
         run.log({ loss: 1 }, { epoch: 1 });`,
        );
        const ended = await bench.run(
          `${OPEN}${quoted(process.execPath)} ${quoted(child)}\nrunfold_close\n` +
            `echo "\${RUNFOLD_RUN_ID-none} \${RUNFOLD_ATTEMPT-none} \${RUNFOLD_STARTED-none} $RUNFOLD_DIR"\n`,
        );
        expect(ended).toMatchObject({ code: 0, stdout: `none none none ${bench.ledger}\n`, stderr: '' });
        const outcome = await passOver(bench.ledger);
        outcome.expectRun({ attempt_count: 1, status: 'completed' }).expectResults({ points: 1 });
        expect(outcome.findings()).toEqual([]);
      });

      it('gives what runs below it the key, and the outer one back', async () => {
        const bench = shellBench(shell);
        const child = path.join(bench.dir, 'train.mjs');
        fs.writeFileSync(
          child,
          `import { RunLogger } from '${builtUrl('logger.js')}'; RunLogger.create({ dataset: 'iris' });`,
        );
        const outer = [1, 'wine', 'mlp', null, 'deep "1"', 4] as const;
        const [experiment_number, dataset, method, subject, cl_info, seed] = outer;
        const env = {
          RUNFOLD_RUN_ID: runId({ experiment_number, dataset, method, subject, cl_info, seed }),
          RUNFOLD_KEY: JSON.stringify(outer),
          RUNFOLD_STARTED: '1764148040.000',
        };
        const ended = await bench.run(
          `runfold_open --dataset iris --method 'm\\"ü'\n${quoted(process.execPath)} ${quoted(child)}
          runfold_close\nprintf '%s\\n' "$RUNFOLD_KEY"
          runfold_open --dataset iris --variant ''\nprintf '%s\\n' "$RUNFOLD_KEY"\n`,
          env,
        );
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        expect(ended.stdout).toBe(`${env.RUNFOLD_KEY}\n[1,"iris","mlp",null,"",4]\n`);
        const created = bench
          .files()
          .flatMap(({ events }) => events.filter(({ type }) => type === 'run_created'));
        const mine = { dataset: 'iris', method: 'm\\"ü', cl_info: 'deep "1"', seed: 4 };
        expect(created).toHaveLength(3);
        expect(created.filter((event) => 'method' in event && event.method === mine.method)).toMatchObject([
          mine,
          mine,
        ]);
      });

      it('passes no key on that no variable can hold', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`variant=$(printf '%040000d' 1)
        runfold_open --variant "$variant"
        ${quoted(process.execPath)} -e 'console.log(process.env.RUNFOLD_KEY)'
      `);
        expect(ended).toMatchObject({ code: 0, stderr: '', stdout: 'undefined\n' });
      });

      it('logs in an independent task, tells what is below, and takes that away again', async () => {
        const bench = shellBench(shell);
        const say = 'echo "${RUNFOLD_INDEPENDENT-none}"\n';
        const ended = await bench.run(`${OPEN.trim()} --independent\n${say}runfold_close\n${say}`, {
          SLURM_PROCID: '2',
        });
        expect(ended).toMatchObject({ code: 0, stderr: '', stdout: '1\nnone\n' });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'completed']);
      });

      it('makes the same run once more another attempt of it', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`${OPEN}${OPEN}runfold_close\n${OPEN}`, { RUNFOLD_ATTEMPT: 'outer' });
        expect(ended.code).toBe(0);
        expect(ended.stderr.match(/was not closed/g)).toHaveLength(1);
        (await passOver(bench.ledger)).expectRun({ attempt_count: 3, status: 'completed' });
      });
    });

    describe('a log that cannot be written', () => {
      it('is not made where it is named: the lines wait in the spool, and the mend that is said mends', async () => {
        const bench = shellBench(shell);
        const gone = path.join(bench.dir, 'not mounted');
        const ended = await bench.run(`set -eu\n${OPEN}runfold_metric --loss 1\nexit 6\n`, {
          RUNFOLD_DIR: gone,
        });
        expect(ended).toMatchObject({ code: 6, stdout: '' });
        expect(fs.existsSync(gone)).toBe(false);
        const [mend] = /mkdir -p .*$/m.exec(ended.stderr) ?? [];
        expect(mend, ended.stderr).toBeDefined();

        createLedger(gone);
        await runProcess(['sh', '-c', mend ?? ''], { dir: bench.dir });
        const { events, rejected } = readOnlyFile(gone);
        expect(rejected).toEqual([]);
        expect(storyOf(events.slice(1, -1))).toEqual(['run_created', 'running', 'metric', 'failed 6']);
        expect((await passOver(gone)).findings()).toEqual([]);
      });

      it('that comes back gets all that waited', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`set -eu\n${OPEN}
        runfold_metric --step 1 loss=1
        mv "$RUNFOLD_DIR" "$RUNFOLD_DIR.away"
        runfold_metric --step 2 loss=1
        runfold_metric --step 3 loss=1
        mv "$RUNFOLD_DIR.away" "$RUNFOLD_DIR"
        runfold_metric --step 4 loss=1
      `);
        expect(ended).toMatchObject({ code: 0, stdout: '' });
        expect(ended.stderr).toContain('can be written again');
        const [file] = bench.files();
        expect(new Set(file === undefined ? [] : seqsOf(file))).toEqual(new Set(numbersTo(9)));
        expect(spoolFiles(bench)).toEqual([]);
        expect((await passOver(bench.ledger)).findings()).toEqual([]);
      });

      it('is not begun anew where its file was removed', async () => {
        const bench = shellBench(shell);
        await bench.run(`${OPEN}rm "$RUNFOLD_DIR"/events/*/*\nrunfold_metric --loss 1\n`);
        expect(eventFiles(bench.ledger)).toEqual([]);
        const [spool = ''] = spoolFiles(bench);
        expect(seqsOf(readLines(fs.readFileSync(spool)))).toEqual([1, 4, 5, 6]);
      });

      it('that is full in the middle of a line loses none', async () => {
        const bench = shellBench(shell);
        // a file can have so many blocks in this process; what is beyond is not written, as on a full disk
        const ended = await bench.run(`${OPEN}trap '' XFSZ
        ulimit -f 4
        step=0
        while [ $step -lt 24 ]; do step=$((step + 1)); runfold_metric --step $step loss=0.5 acc=0.25; done
      `);
        expect(ended.code).toBe(0);
        const [file = ''] = eventFiles(bench.ledger);
        const [spool = ''] = spoolFiles(bench);
        const mended = readLines(Buffer.concat([fs.readFileSync(file), fs.readFileSync(spool)]));
        expect(mended.rejected.length).toBeLessThanOrEqual(1);
        expect(fs.readFileSync(file).at(-1)).not.toBe(0x0a);
        const steps = mended.events.flatMap((event) => (event.type === 'metric' ? [event.step] : []));
        // the spool has the same limit: what it has not is told
        expect(steps).toEqual(numbersTo(steps.length));
        expect(steps.length).toBeGreaterThan(12);
        expect(steps.length === 24 || ended.stderr.includes('lost')).toBe(true);
      });

      it('is not spooled into a folder of somebody else', async () => {
        const bench = shellBench(shell);
        const target = path.join(bench.dir, 'theirs');
        fs.mkdirSync(target);
        fs.symlinkSync(target, path.join(bench.dir, `runfold-spool-${process.getuid?.() ?? 0}`));
        const ended = await bench.run(`${OPEN}runfold_close\n`, {
          RUNFOLD_DIR: path.join(bench.dir, 'none'),
        });
        expect(ended.code).toBe(0);
        expect(ended.stderr).toContain('lost');
        expect(fs.readdirSync(target)).toEqual([]);
      });
    });

    describe('no log anywhere', () => {
      it('makes one, of which all that start at once agree', async () => {
        const bench = shellBench(shell);
        fs.rmSync(bench.ledger, { recursive: true });
        const script = `unset RUNFOLD_DIR\nrunfold_open --seed "$1"\nrunfold_metric --loss 1\n`;
        const file = path.join(bench.dir, 'array.sh');
        fs.writeFileSync(file, `. ${quoted(RUNFOLD_SH)}\n${script}`);
        const seeds = numbersTo(6);
        const all = await Promise.all(
          seeds.map(async (seed) => await runProcess([...shell, file, String(seed)], { dir: bench.dir })),
        );
        expect(all.map(({ code }) => code)).toEqual(seeds.map(() => 0));
        const made = all.filter(({ stderr }) => stderr.includes('made'));
        expect(made.map(({ stderr }) => stderr)).toEqual([`runfold: made ${bench.dir}/.runfold\n`]);
        const ledger = path.join(bench.dir, '.runfold');
        expect(fs.readdirSync(ledger).toSorted()).toEqual(['events', 'ledger.json']);
        const outcome = await passOver(ledger);
        expect(outcome.findings()).toEqual([]);
        expect(outcome.rows('experiment_runs').length).toBe(seeds.length);
      });

      it('finds one upwards first', async () => {
        const bench = shellBench(shell);
        const above = createLedger(path.join(bench.dir, '.runfold')).path;
        const ended = await bench.run(`unset RUNFOLD_DIR\nmkdir -p a/b\ncd a/b\n${OPEN}`);
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        expect(eventFiles(above).length).toBe(1);
      });
    });

    describe('around it', () => {
      it('does not mind the settings of the script', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`set -eufC
        IFS=,0123456789
        alias printf=false 2>/dev/null || :
        LC_ALL=C.UTF-8
        export LC_ALL
        runfold_open --dataset Größe --method mlp --seed 10 --config lr=0.01 'text=a*b' --tags a,b
        runfold_metric --step 10 loss=0.25 'é*=1'
        runfold_results acc=0.5
        echo "$-" | tr -dc efuC
      `);
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        const [created, , metric, result] = bench.events();
        expect(created).toMatchObject({ seed: 10, config: { lr: 0.01, text: 'a*b' }, tags: ['a', 'b'] });
        expect(metric).toMatchObject({ step: 10, loss: 0.25, extra: { 'é*': 1 } });
        expect(result).toMatchObject({ results: { acc: 0.5 } });
      });

      it.each([
        ['an option that does not exist', '--datset iris', 'no option --datset'],
        ['a seed that is no number', '--seed one', '--seed must be a whole number'],
        ['a value that is missing', '--seed', '--seed needs a value'],
        ['a config that is no member', '--config lr', '--config takes name=value'],
        ['a word that is no option', 'iris', '"iris" is no option'],
      ])('refuses %s with 2 and logs nothing', async (_, options, message) => {
        const bench = shellBench(shell);
        const ended = await bench.run(
          `runfold_open ${options}\necho "$?"\nset -e\nrunfold_metric --loss 1\nrunfold_close\n`,
        );
        expect(ended).toMatchObject({ code: 0, stdout: '2\n' });
        expect(ended.stderr).toContain(message);
        expect(bench.files()).toEqual([]);
      });

      it('leaves out what is no metric, says so once, and goes on', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`set -eu\n${OPEN}
        for i in 1 2; do runfold_metric --epoch $i loss=abc acc=.5 lost --colour red --f1; done
        runfold_metric --epoch 3
        runfold_metric --epoch 1.5 --loss=+2
        runfold_error
        runfold_status wonderful
        runfold_close one
      `);
        expect(ended).toMatchObject({ code: 0, stdout: '' });
        const said = ended.stderr.trim().split('\n');
        expect(said.length).toBe(new Set(said).size);
        expect(said.length).toBe(8);
        const [, , first, second, third, ...rest] = bench.events();
        expect(first).toMatchObject({ type: 'metric', epoch: 1, extra: { acc: 0.5 } });
        expect(second).toMatchObject({ type: 'metric', epoch: 2, extra: { acc: 0.5 } });
        expect(third).toMatchObject({ type: 'metric', loss: 2, extra: { epoch: 1.5 } });
        expect(storyOf(rest)).toEqual(['completed']);
      });

      it('says what is called without a run, and does nothing', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run('set -eu\nrunfold_metric --loss 1\nrunfold_close\nrunfold_close\n');
        expect(ended).toMatchObject({ code: 0, stdout: '' });
        expect(ended.stderr).toContain('runfold_metric without a run');
      });

      it('fsyncs with dd where sync takes no file', async () => {
        const bench = shellBench(shell);
        const bin = path.join(bench.dir, 'bin');
        fs.mkdirSync(bin);
        fs.writeFileSync(path.join(bin, 'sync'), '#!/bin/sh\necho "Usage: sync [OPTION]"\nexit 9\n', {
          mode: 0o755,
        });
        const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
        expect(await bench.run(`${OPEN}runfold_metric --loss 1\n`, env)).toMatchObject({
          code: 0,
          stderr: '',
        });
        expect(storyOf(bench.events())).toEqual(['run_created', 'running', 'metric', 'completed 0']);
      });

      it('needs date and sync alone for a metric', async () => {
        const bench = shellBench(shell);
        const bin = path.join(bench.dir, 'bin');
        fs.mkdirSync(bin);
        const found = await runProcess(['sh', '-c', 'command -v date; command -v sync'], { dir: bench.dir });
        for (const program of found.stdout.trim().split('\n')) {
          fs.symlinkSync(program, path.join(bin, path.basename(program)));
        }
        const ended = await bench.run(
          `${OPEN}path=$PATH\nPATH=${quoted(bin)}\nrunfold_metric --epoch 1 --loss 0.5 val/acc=0.9\nPATH=$path\n`,
        );
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        expect(bench.events()[2]).toMatchObject({ epoch: 1, loss: 0.5, extra: { 'val/acc': 0.9 } });
      });

      it('keeps the end of a traceback that is too long, and a run whose config is', async () => {
        const bench = shellBench(shell);
        const ended = await bench.run(`set -eu
        x=0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz
        x=$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x; x=$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x; x=$x$x$x$x; big=$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x
        runfold_open --seed 1 --config "x=$big"
        runfold_error E m "$x the end"
        runfold_results "x=$big"
        runfold_metric --loss 1
      `);
        expect(ended).toMatchObject({ code: 0, stdout: '' });
        const [created, , error, metric] = bench.events();
        expect(created).not.toHaveProperty('config');
        expect((error as EventOf<'error'>).traceback).toMatch(/^.{65536}$/);
        expect((error as EventOf<'error'>).traceback?.endsWith(' the end')).toBe(true);
        expect(metric).toMatchObject({ type: 'metric', loss: 1 });
      });

      it('leaves a running run as it is when the shell is killed', async () => {
        const bench = shellBench(shell);
        const job = bench.start(
          `${OPEN}runfold_metric --loss 1\necho ready >&2\nwhile :; do sleep 0.05; done\n`,
        );
        await job.says('ready');
        await job.destroy();
        const [file] = bench.files();
        expect(storyOf(file?.events.slice(1) ?? [])).toEqual(['run_created', 'running', 'metric']);
        (await passOver(bench.ledger)).expectRun({ status: 'running' });
      });
    });
  });
});

function spoolFiles(bench: ShellBench): string[] {
  const folder = path.join(bench.dir, `runfold-spool-${process.getuid?.() ?? 0}`);
  if (!fs.existsSync(folder)) return [];
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  return fs.readdirSync(folder).map((name) => path.join(folder, name));
}

/** A copy of a log of real files, projected. */
async function passOver(ledger: string): Promise<ReturnType<TempLedger['outcome']>> {
  const copy = new TempLedger();
  fs.cpSync(path.join(ledger, 'events'), path.join(copy.root, 'events'), { recursive: true });
  return await copy.pass();
}
