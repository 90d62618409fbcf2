// The commands that ask SLURM.
import type { Command } from 'commander';
import { examples } from './answers.ts';
import type { SlurmRefreshFlags } from './commands/slurm-refresh.ts';
import type { CliIo, ExitCode } from './io.ts';
import { withJson, withPlace } from './options.ts';

export function addSlurm(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const slurm = program
    .command('slurm')
    .description('what the scheduler did to the jobs of runs')
    .addHelpText('after', examples('runfold slurm refresh'));
  withJson(withPlace(slurm.command('refresh')))
    .description('ask squeue and sacct how jobs are whose end is not known, and log what is new')
    .option('--force', 'do not wait a minute since the last time; ask about jobs too that SLURM did not know')
    .addHelpText('after', examples('runfold slurm refresh', 'runfold slurm refresh --json'))
    .action(async (flags: SlurmRefreshFlags) => {
      const { slurmRefresh } = await import('./commands/slurm-refresh.ts');
      finish(await slurmRefresh(flags, io));
    });
}
