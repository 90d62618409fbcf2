// What memory a process that follows a log needs while its history grows: the heap, and all of it.
import path from 'node:path';
import { bench, isQuick, part, table } from './lib.mjs';

const FILES = isQuick ? 50 : 1_000;
const PASSES = isQuick ? 3 : 10;
/** In kB: that of the live database, and hardly any. */
const CACHES = [null, 2_000];

await bench('Memory while the history grows', async ({ directory, children }) => {
  const rows = [];
  for (const cacheKb of CACHES) {
    const name = cacheKb === null ? 'default' : String(cacheKb);
    const place = { ledger: path.join(directory, `ledger-${name}`), db: path.join(directory, `${name}.db`) };
    const options = { directory, children, nodeArgs: ['--expose-gc'] };
    const given = { ...place, files: FILES, passes: PASSES, cacheKb };
    const { memory, databaseMb } = await part('history.mjs', given, options);
    const [first, last] = [memory[0], memory.at(-1)];
    rows.push([
      cacheKb === null ? '32 MB, as it is' : `${cacheKb / 1_000} MB`,
      databaseMb.toFixed(0),
      ...[first.heapMb, last.heapMb].map((mb) => mb.toFixed(1)),
      ...[first.rssMb, last.rssMb].map((mb) => mb.toFixed(0)),
    ]);
  }
  const all = (FILES * PASSES).toLocaleString('en');
  return [
    `${FILES.toLocaleString('en')} finished files more in each of ${PASSES} passes of one process, ${all} in all; MB after the ` +
      'first pass and after the last, the heap after a collection.',
    table(['cache of SQLite', 'database', 'heap, first', 'heap, last', 'RSS, first', 'RSS, last'], rows),
  ];
});
