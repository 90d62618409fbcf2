// What a refresh has learned, in one line.
import type { JobNow } from '../slurm/news.ts';
import { stateWord } from '../slurm/states.ts';
import { count } from './human.ts';

/** `3 jobs ended: 2 COMPLETED, 1 OUT_OF_MEMORY; 5 running, 2 pending`. */
export function describeJobs(jobs: readonly JobNow[]): string {
  const ended = jobs.filter(({ isNewEnd }) => isNewEnd);
  const live = jobs.filter(({ isLive }) => isLive);
  const forgotten = jobs.filter(({ state }) => state === null).length;
  const parts = [
    ended.length === 0
      ? 'no job has ended'
      : `${count(ended.length, 'job')} ended: ${counted(ended.map(({ cause }) => cause ?? ''))}`,
    ...(live.length === 0 ? [] : [counted(live.map(({ state }) => stateWord(state ?? '').toLowerCase()))]),
    ...(forgotten === 0 ? [] : [`${forgotten} that SLURM does not know`]),
  ];
  return parts.join('; ');
}

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([word, many]) => `${many} ${word}`)
    .join(', ');
}
