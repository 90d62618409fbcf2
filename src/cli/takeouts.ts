// The commands that hand the tables to other programs and to other questions.
import { Argument, Option, type Command } from 'commander';
import { examples } from './answers.ts';
import type { ExportFlags } from './commands/export.ts';
import type { SqlFlags } from './commands/sql.ts';
import { SHELLS, type Shell } from './completion/shells.ts';
import { EXPORTED_TABLES, EXPORT_FORMATS } from './export/names.ts';
import { withFormat } from './format/options.ts';
import type { CliIo, ExitCode } from './io.ts';
import { countOf, manyOf, seconds } from './options.ts';
import { withReading } from './reading.ts';

export function addTakeouts(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withFormat(withReading(program.command('sql')))
    .description('an SQL query of your own, which can only read')
    .argument('<query>', 'a SELECT or the like; - takes it from stdin; after -- it may begin with a comment')
    .addOption(
      new Option(
        '-n, --limit <n>',
        'at most so many rows (default: 1000 in a table, else all); 0: all',
      ).argParser(countOf),
    )
    .addOption(
      new Option('--timeout <time>', 'end it after 30s, 5m, 1h; 0: never')
        .argParser(seconds)
        .default(30, '30s'),
    )
    .addHelpText(
      'after',
      examples(
        "runfold sql 'SELECT dataset, count(*) AS runs FROM experiment_runs GROUP BY dataset'",
        'runfold sql --format csv --timeout 10m - < query.sql > answer.csv',
      ),
    )
    .action(async (query: string, flags: SqlFlags) => {
      const { sql } = await import('./commands/sql.ts');
      finish(await sql(query, flags, io));
    });

  withReading(program.command('export'))
    .description('the tables as files for other programs, all of one moment')
    .argument('[dir]', 'where to (default: ./runfold-export); - is stdout, for one table')
    .addOption(new Option('--format <format>', 'of the files').choices(EXPORT_FORMATS).default('csv'))
    .addOption(
      new Option('--table <name>', 'this table alone; repeat it for more')
        .choices(EXPORTED_TABLES)
        .argParser(manyOf(EXPORTED_TABLES)),
    )
    .option('--no-escape', 'CSV with every text exactly as it is, formulas and control characters too')
    .option('--force', 'replace files that are there')
    .addHelpText(
      'after',
      examples(
        'runfold export tables --format parquet',
        'runfold export - --table run_metrics | gzip > points.csv.gz',
      ),
    )
    .action(async (directory: string | undefined, flags: ExportFlags) => {
      const { exportTables } = await import('./commands/export.ts');
      finish(await exportTables(directory, flags, io));
    });

  program
    .command('completion')
    .description('a script for your shell that completes command lines with Tab')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .addHelpText('after', examples('eval "$(runfold completion bash)"', 'runfold completion fish | source'))
    .action(async (shell: Shell) => {
      const { completion } = await import('./commands/completion.ts');
      finish(completion(shell, io));
    });

  program
    .command('complete', { hidden: true })
    .description('what the scripts of completion ask')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .argument('[words...]', 'those after the name of the program; the last is being typed')
    .action(async (shell: Shell, words: string[]) => {
      const { completeLine } = await import('./commands/completion.ts');
      finish(await completeLine(program, shell, words, io));
    });
}
