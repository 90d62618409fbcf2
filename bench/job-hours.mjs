// How long it takes to say what very many SLURM jobs spent, and on what.
import path from 'node:path';
import { bench, isQuick, median, part, table, verdict } from './lib.mjs';

const RUNS = isQuick ? 1_000 : 100_000;
const ROUNDS = isQuick ? 2 : 9;
const TARGET_MS = 1_000;

const NAMES = {
  bare: '`count, sum(cpus)` of the jobs in SQL, joined with their runs and attempts',
  hours: '`getJobHours`',
  filtered: '`getJobHours` of one method',
  page: '`getJobs`, the newest 50',
  all: '`getJobs`, all',
};

const shown = (value) => value.toFixed(value < 10 ? 1 : 0);

await bench('Hours of jobs', async ({ directory, children }) => {
  const db = path.join(directory, 'jobs.db');
  const { figures, jobs } = await part(
    'job-hours.mjs',
    { db, runs: RUNS, rounds: ROUNDS },
    { directory, children },
  );
  const hours = median(figures.hours);
  return [
    `${RUNS.toLocaleString('en')} runs in ${jobs.toLocaleString('en')} jobs, put into a database directly: two thirds tasks of arrays of ` +
      `500, the others jobs of their own, one in a hundred started twice, one in a hundred shared by two runs. ` +
      `${ROUNDS} times each, after a first one.`,
    table(
      ['', 'ms (median)', 'best', 'of the first line'],
      Object.entries(NAMES).map(([name, words]) => [
        words,
        shown(median(figures[name])),
        shown(Math.min(...figures[name])),
        (median(figures[name]) / median(figures.bare)).toFixed(1),
      ]),
    ),
    `- The hours of all jobs: ${shown(hours)} ms; target below ${TARGET_MS} ms: ${verdict(hours < TARGET_MS)}.`,
  ];
});
