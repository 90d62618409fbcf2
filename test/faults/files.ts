// A small log in which everything happens that a pass knows, in three states: at first, grown, and with a hole filled.
import { A, at, B, C, closed, created, DAY, errorEvent, file, header, metric, notes, numbered, result, sample, slurm, status, text, writerFile, type GivenFile } from '../helpers/lines.ts'; // prettier-ignore
import { MemoryStorage } from '../helpers/memory-storage.ts';

export const NOW_MS = Date.parse(at(120));
/** So old that no hole is waited for. */
export const MTIME_MS = NOW_MS - 20 * 60_000;

const LATE = text({ ...metric(8, { loss: 0.2 }), seq: 6 });
const HOLE = Buffer.alloc(LATE.length);

function holed(fill: Buffer | string): GivenFile {
  const { path, bytes } = writerFile(B, created(5, { attempt: 'b' }), metric(6, { step: 3 }), metric(7, { step: 4 }), status(7, 'running')); // prettier-ignore
  const rest = numbered([metric(9, { step: 5 }), result(10, { acc: 1 })], 7);
  return file(path, bytes, fill, '\n', ...rest);
}

const POINTS = [1, 2, 3].map((minute) => metric(minute, { step: minute, loss: 1 / minute }));
const MORE = [
  metric(4, { step: 4, attempt: 'other', extra: { acc: 1 } }),
  errorEvent(4),
  sample(4),
  slurm(4, 'env'),
];

const FIRST: GivenFile[] = [
  writerFile(A, created(0), status(0, 'running'), ...POINTS),
  notes(metric(1, { loss: 5 }), 'no json\n'),
  // of C, and in its place until the one comes whose path is smaller
  file(`events/${DAY}/${C}-h-1.ndjson`, header(C), ...numbered([created(2), metric(3)])),
];

const GROWN: GivenFile[] = [
  writerFile(A, created(0), status(0, 'running'), ...POINTS, ...MORE, { ...metric(3, { step: 3, loss: 1 / 3 }), seq: 6 }, { ...metric(3, { step: 9 }), seq: 5 }, { ...status(11, 'completed'), seq: 11 }, closed(11, 11)), // prettier-ignore
  notes(metric(1, { loss: 5 }), 'no json\n', metric(2), '[]\n'),
  file(`events/${DAY}/${C}-h-1.ndjson`, header(C), ...numbered([created(2), metric(3)])),
  file(
    `events/${DAY}/${C}-a.ndjson`,
    header(C, { origin: 'a' }),
    ...numbered([created(2), metric(3), metric(4)]),
  ),
  // a copy, and so misplaced
  { ...writerFile(A, created(0)), path: `events/${DAY}/${A}-copied.ndjson` },
  holed(HOLE),
];

const FILLED: GivenFile[] = [...GROWN.slice(0, -1), holed(LATE)];

export function storageOf(files: readonly GivenFile[], storage = new MemoryStorage()): MemoryStorage {
  storage.files.clear();
  for (const { path, bytes } of files) storage.append(path, bytes, MTIME_MS);
  return storage;
}

export const LOG = { FIRST, GROWN, FILLED };
