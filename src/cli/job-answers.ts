// The commands that answer about SLURM jobs.
import { Option, type Command } from 'commander';
import { examples, RUN } from './answers.ts';
import type { FailuresFlags } from './commands/failures.ts';
import type { JobsFlags } from './commands/jobs.ts';
import type { LogsFlags } from './commands/logs.ts';
import { withFormat } from './format/options.ts';
import type { CliIo, ExitCode } from './io.ts';
import { countOf, withJson } from './options.ts';
import { collectList, withFilters, withReading } from './reading.ts';

export function addJobs(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withFormat(withFilters(withReading(program.command('jobs'))))
    .description(
      'the SLURM jobs of runs: states, waiting reasons, what they used, hours spent on failed runs',
    )
    .argument('[run]', RUN)
    .option('--tasks', 'a line for each task and restart; with a run that is the default')
    .option('--hours', 'GPU and CPU hours by how the runs ended, over all jobs')
    .option(
      '--state <list>',
      'jobs with a task in this state, in SLURM’s words; comma separated',
      collectList,
    )
    .option('--active', 'jobs that have not ended')
    .addOption(new Option('-n, --limit <n>', 'at most so many; 0: all').argParser(countOf))
    .addHelpText(
      'after',
      examples(
        'runfold jobs --active',
        'runfold jobs --state OUT_OF_MEMORY,TIMEOUT --tasks',
        'runfold jobs --hours --exp 3',
        'runfold jobs @last',
      ),
    )
    .action(async (run: string | undefined, flags: JobsFlags) => {
      const { jobs } = await import('./commands/jobs.ts');
      finish(await jobs(run, flags, io));
    });

  withFormat(withFilters(withReading(program.command('failures'))))
    .description('runs that failed, by cause, with the nodes that they share')
    .option('--all-attempts', 'earlier attempts too, which a later one may have mended')
    .addHelpText('after', examples('runfold failures', 'runfold failures --all-attempts --method mlp'))
    .action(async (flags: FailuresFlags) => {
      const { failures } = await import('./commands/failures.ts');
      finish(await failures(flags, io));
    });

  withJson(withReading(program.command('logs')))
    .description('the output of a run’s SLURM job, where it can be read')
    .argument('<run>', RUN)
    .option('--stderr', 'what it wrote to stderr, if that went to a file of its own')
    .addOption(new Option('-n, --lines <n>', 'the last so many lines (default: 50)').argParser(countOf))
    .option('--all', 'all lines')
    .option('-f, --follow', 'go on as it grows, until the run ends')
    .option('--raw', 'the bytes as they are')
    .option('--path', 'only say where it is')
    .addOption(
      new Option('--attempt <n>', 'of this attempt of the run (default: the last)').argParser(countOf),
    )
    .option('--job <id>', 'of this job, such as 4711 or 4711_3')
    .addHelpText(
      'after',
      examples(
        'runfold logs @last',
        'runfold logs 7k2m --follow',
        'less "$(runfold logs 7k2m --path --stderr)"',
      ),
    )
    .action(async (run: string, flags: LogsFlags) => {
      const { logs } = await import('./commands/logs.ts');
      finish(await logs(run, flags, io));
    });
}
