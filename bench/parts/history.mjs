// Follows a log to which finished files are added, in one process as `watch` does, and says what memory it has after each pass.
import { makeLedger } from '../ledger.mjs';
import { built, partArguments } from '../lib.mjs';

const { ledger, db: file, files, passes, cacheKb } = partArguments();
const { locate, OpenProjector } = await import(built('./projector/open.js'));
const memory = [];
let open;
for (let pass = 0; pass < passes; pass += 1) {
  makeLedger(ledger, { from: pass * files, writers: files, points: 5, startsAt: () => Date.now() });
  open ??= OpenProjector.open(await locate({ ledger, db: file }), 'watch');
  if (cacheKb !== null) open.db.pragma(`cache_size = -${cacheKb}`);
  const result = await open.projector.pass({ thorough: false });
  if (result.files !== files) throw new Error(`${result.files} files were read, not ${files}`);
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  memory.push({ heapMb: heapUsed / 1e6, rssMb: rss / 1e6 });
}
const databaseMb =
  (open.db.pragma('page_count', { simple: true }) * open.db.pragma('page_size', { simple: true })) / 1e6;
open.close();
console.log(JSON.stringify({ memory, databaseMb }));
