// The commands that show curves.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { BANDS } from '../query/curve-band.ts';
import { AXES } from '../query/curve-series.ts';
import { examples, RUN } from './answers.ts';
import type { MetricsFlags } from './commands/metrics.ts';
import type { PlotFlags } from './commands/plot.ts';
import { withFormat } from './format/options.ts';
import { FORMATS } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { wholeNumber } from './options.ts';
import { collect, withFilters, withReading } from './reading.ts';

/** How a picture of curves is to look. */
export interface PictureFlags {
  log?: boolean;
  logX?: boolean;
  smooth?: number;
  width?: number;
  height?: number;
}

export function addCurves(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const metrics = withFormat(withReading(program.command('metrics')))
    .description('the points of a run, as a table or a plot')
    .argument('<run>', RUN)
    .option('--name <metric>', 'this metric; repeat it for more', collect)
    .addOption(new Option('--from <n>', 'from this step on (epoch, of points without)').argParser(aNumber))
    .addOption(new Option('--to <n>', 'up to this step').argParser(aNumber))
    .option('--all', 'also points that a later attempt has gone over again')
    .addOption(new Option('--points <n>', 'about so many points, or all').argParser(pointsOrAll))
    .option('--plot', 'draw the curves');
  withPicture(metrics)
    .addHelpText(
      'after',
      examples(
        'runfold metrics @last --plot --smooth 0.6',
        'runfold metrics 7k2m --name loss --name val/acc --format csv > points.csv',
      ),
    )
    .action(async (run: string, flags: MetricsFlags) => {
      const { metrics: show } = await import('./commands/metrics.ts');
      finish(await show(run, flags, io));
    });

  const plot = withFilters(withReading(program.command('plot')))
    .description('draw a metric: the mean over the runs of each method, and how far they are apart')
    .argument('<metric>', 'loss, f1, … or any other that was logged')
    .option('--by <field>', 'a curve for each value of this field; none: for each run (default: method)')
    .addOption(
      new Option('--band <what>', 'around the mean: standard deviation, least to greatest, or none')
        .choices(BANDS)
        .default('std'),
    )
    .addOption(new Option('--x <axis>', 'default: step or epoch, as it was logged').choices(AXES))
    .addOption(new Option('--format <format>', 'the numbers, in place of a picture').choices(FORMATS))
    .option('--json', 'the same as --format json');
  withPicture(plot)
    .addHelpText(
      'after',
      examples(
        'runfold plot loss --log',
        'runfold plot val/acc --by config.lr --dataset iris --smooth 0.6',
        'runfold plot f1 --by none --method mlp --format csv > f1.csv',
      ),
    )
    .action(async (metric: string, flags: PlotFlags) => {
      const { plot: draw } = await import('./commands/plot.ts');
      finish(await draw(metric, flags, io));
    });
}

function withPicture(command: Command): Command {
  return command
    .option('--log', 'logarithms of the values')
    .option('--log-x', 'logarithms of the positions')
    .addOption(new Option('--smooth <weight>', 'moving average, from 0 to below 1').argParser(aWeight))
    .addOption(new Option('--width <n>', 'columns (default: those of the terminal, or 80)').argParser(size))
    .addOption(new Option('--height <n>', 'lines of the curves (default: 15)').argParser(size));
}

function aNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number.');
}

function aWeight(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to below 1.');
}

function pointsOrAll(text: string): number | 'all' {
  if (text === 'all') return text;
  const value = wholeNumber(text);
  if (value >= 2) return value;
  throw new InvalidArgumentError('It must be a whole number from 2, or all.');
}

/** The least in which there is room for labels. */
const LEAST_SIZE = 5;
const GREATEST_SIZE = 1000;

function size(text: string): number {
  const value = wholeNumber(text);
  if (value >= LEAST_SIZE && value <= GREATEST_SIZE) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${LEAST_SIZE} to ${GREATEST_SIZE}.`);
}
